"""Small talk: greetings, thanks and the like, which are neither questions nor misses."""

import re

_SOMEBODY = r"(?:an? )?(?:real )?(?:(?:ro)?bot|machine|computer|human(?: being)?|person|ai|someone real|somebody real)"
_PHRASES: dict[str, str] = {
    "greeting": "hi|hii+|hello|helo|hey|heya|hiya|good (?:morning|afternoon|evening|day)|morning|evening|greetings|"
    "hi there|hello there|hey there|anyone (?:there|here|home)|is anyone there|are you there|alright|"
    "how are you(?: doing)?(?: today)?|how(?: i|')?s it going|hows it going|how do you do|nice to meet you|howdy|yo",
    "thanks": "thanks|thank you|thank u|thankyou|thx|ty|tysm|cheers|ta|many thanks|thanks a lot|thanks so much|"
    "thank you so much|thank you very much|thanks very much|much appreciated|appreciate it|appreciated|"
    "that(?:'?s| is| was)? (?:great|perfect|brilliant|lovely|helpful|it|very helpful|really helpful)|"
    "(?:that|this) (?:really )?(?:helped|helps|worked|works|answers it)(?: a lot)?|"
    "(?:you(?:'ve| have)? been |very )(?:very |so )?helpful|"
    "perfect|brilliant|great|lovely|nice|nice one|awesome|wonderful|excellent|amazing|fantastic|super|good to know|"
    "ha(?:ha)+|lol|thank you kindly|thanks a (?:million|bunch)|bless you|good (?:bot|job)|well done",
    "acknowledgement": "ok|okay|okey|kk?|ok cool|cool|fine|sure|alright then|got it|i see|understood|right|"
    "yes|yep|yeah|no|nope|no worries|no problem|fair enough|will do|sounds good|makes sense|all good|noted|oki|okie|"
    "okay then|"
    "gotcha|got you|never ?mind|nvm|not (?:now|yet)|maybe(?: later)?|yup|correct|exactly|hmm+|"
    "one (?:moment|second|sec)",
    "goodbye": "bye|bye bye|goodbye|see you|see ya|have a (?:good|nice|lovely) (?:day|evening|weekend|one)|"
    "that(?:'| i)?s (?:all|everything)|thats all|good night|take care|speak soon|"
    "(?:bye|see you) (?:for now|later|soon)|"
    "later|cya|ciao|have a (?:good|nice|lovely|great) (?:day|evening|weekend|one|night)|you too|nothing else",
    "bot_question": r"(?:are|r) (?:you|u) (?:a |an )?(?:ro)?bot|(?:are|r) (?:you|u) (?:a )?"
    r"(?:real|human|person|machine|ai)(?: person| human)?|"
    rf"am i (?:talking|speaking|chatting) (?:to|with) {_SOMEBODY}(?: or {_SOMEBODY})?|"
    rf"(?:are|r) (?:you|u) {_SOMEBODY} or {_SOMEBODY}|"
    r"is this (?:a )?(?:ro)?bot|is this (?:a )?(?:real person|automated)|"
    r"what are you|who are you|what(?:'| i)?s your name|whats your name|do you have a name|"
    r"who am i (?:talking|speaking) to|"
    r"are you (?:alive|sentient|chatgpt|gpt)",
}
_FILLER = (
    "(?:so|very|much|then|all|for (?:that|your help|the help|now|everything)|again|mate|guys|everyone|please|oh|ah|"
    "and|i'll have a look|team)"
)
_WHOLE = {
    kind: re.compile(rf"(?:(?:{phrases}|{_FILLER})(?:\s+|$))*?(?:{phrases})(?:\s+(?:{phrases}|{_FILLER}))*")
    for kind, phrases in _PHRASES.items()
}
_MIXED = re.compile(rf"(?:(?:{'|'.join(_PHRASES.values())}|{_FILLER})(?:\s+|$))+")
_ORDER = ("bot_question", "thanks", "goodbye", "greeting", "acknowledgement")


_FIRM = {
    "yes", "yeah", "yep", "yup", "please", "pls", "y", "definitely", "absolutely",
    "ja", "sí", "si", "oui", "sì", "sim", "tak", "evet",  # whoever was asked in their own language answers in it
}  # fmt: skip
_YES = _FIRM | {"ok", "okay", "sure", "alright"}
_WITH_YES = _YES | {
    "thanks", "thank", "you", "do", "that", "would", "be", "great", "good", "go", "ahead", "a", "person", "human",
    "someone", "i'd", "like", "it", "now", "then",
}  # fmt: skip
_NO = {"no", "nope", "nah", "not", "n", "dont", "don't", "never"}


def _short(text: str) -> list[str]:
    """The words of a short text; none of a longer one."""
    words = re.sub(r"[^\w\s']", " ", text.casefold().replace("’", "'")).split()
    return words if len(words) <= 5 else []


def is_no(text: str) -> bool:
    """A plain no: "no thanks", "ok, no"."""
    return any(word in _NO for word in _short(text))


def is_yes(text: str, *, firm: bool = False) -> bool:
    """A plain yes and nothing else: "yes please", "ok"; a no beside it wins. ``firm`` leaves out "ok" and "sure"."""
    words = _short(text)
    begins = bool(words) and words[0] in (_FIRM if firm else _YES)
    return begins and all(word in _WITH_YES for word in words) and not is_no(text)


def smalltalk_kind(text: str) -> str | None:
    """Which kind of small talk the whole text is, or None when it says anything more."""
    words = re.sub(r"[^\w\s']", " ", text.casefold().replace("’", "'")).split()
    if not words or len(words) > 11:
        return None
    plain = " ".join(words)
    for kind in _ORDER:
        if _WHOLE[kind].fullmatch(plain):
            return kind
    if _MIXED.fullmatch(plain):
        return next((kind for kind in _ORDER if re.search(rf"\b(?:{_PHRASES[kind]})\b", plain)), None)
    return None
