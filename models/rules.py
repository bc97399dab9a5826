"""Honest rules: a word-list reader. The baseline in every table, the fallback, and a test double."""

import re
from collections.abc import Sequence

from models.base import FLAGS, STATES, Reading, Utterance

_WORDS: dict[str, str] = {
    "frustrated": r"angry|annoy\w*|frustrat\w*|ridiculous|unacceptable|terrible|awful|worst|useless|disgust\w*|"
    r"disappoint\w*|fed up|sick of|still (?:not|no|waiting|broken)|again and again|third time|waste of|rubbish|"
    r"pathetic|appalling|joke|furious|never (?:again|arrived)|scam|complain\w*",
    "confused": r"confus\w*|don'?t understand|doesn'?t make sense|makes no sense|unclear|not sure (?:what|how|which)|"
    r"what do you mean|lost here|which one (?:is|do)|can'?t (?:find|see) (?:the|it|where)|contradict\w*",
    "worried": r"worr\w*|afraid|scared|anxious|nervous|urgent\w*|please help|emergency|desperate\w*|panic\w*|deadline|"
    r"hacked|stolen|fraud\w*",
    "pleased": r"thank\w*|great|love\w*|perfect|awesome|brilliant|excellent|happy|amazing|lovely|"
    r"cheers|wonderful|relief",
}
_FLAG_WORDS: dict[str, str] = {
    "asked_for_human": r"(?:speak|talk|chat|connect\w*|put)\b.{0,25}\b(?:human|person|agent|someone|somebody|manager|"
    r"representative|advisor|operator|supervisor|real)\b|real (?:person|human)|human being|customer service number|"
    r"(?:want|need|get me|give me) (?:an?|the|your) (?:human|person|agent|manager|operator|representative|supervisor)|"
    r"call me\b|ring me\b|not (?:a|talking to a) (?:bot|robot|machine)",
    "abusive": r"\b(?:you|you'?re|ur|u r)\b.{0,20}\b(?:idiots?|stupid|morons?|useless|dumb|scum|liars?|thie(?:f|ves)|"
    r"bastards?|assholes?|cunts?)\b|fuck (?:you|off)|screw you|go to hell",
    "safety": r"kill (?:myself|me now|you|him|her)|suicid\w*|end my life|want to die|hurt (?:myself|you|somebody)|"
    r"self[- ]harm|swallowed|can'?t breathe|on fire|electrocuted|overdos\w*",
}
_STATES = {name: re.compile(rf"\b(?:{words})\b", re.I) for name, words in _WORDS.items()}
_FLAGS = {name: re.compile(words, re.I) for name, words in _FLAG_WORDS.items()}


_SOMEONE = re.compile(
    r"\b(?:y'?all|you\w*|u|ur|ya|yer|yous|ye|they|them|their|he|she|him|her|who|whoever|whose|somebody|someone|\w*bots?|machine|"
    r"staff|team|guys|lot|people|folk|driver|manager|agent|support|crew|bunch|company|fellows?|"
    r"(?:fuck|piss|sod|bugger|eff|f+) off|shut up|screw|go to hell|get lost|die|idiots?|morons?|cretins?|halfwits?|"
    r"imbeciles?|dunces?|muppets?|clowns?|cowboys|fools?|numpties|eejits?|liars?|scum\w*|crooks?|thie(?:f|ves)|"
    r"parasites?|amateurs|sods?|bastards?|twats?|wankers?|cunts?|pricks?|dickheads?|arseholes?|assholes?)\b",
    re.IGNORECASE,
)


def names_someone(text: str) -> bool:
    """Whether a text speaks to or of anybody: without that it can hardly insult, however angry it is."""
    return bool(_SOMEONE.search(text.replace("’", "'")))


def states_of(text: str) -> dict[str, float]:
    """Probabilities of the service states by counting listed words; a share is always left to neutral."""
    text = text.replace("’", "'")
    hits = {name: float(len(pattern.findall(text))) for name, pattern in _STATES.items()}
    if (text.isupper() and len(text) > 12) or "!!" in text:
        hits["frustrated"] += 0.5
    total = sum(hits.values()) + 0.5
    return {name: hits.get(name, 0.5) / total for name in STATES}


def flags_of(text: str) -> dict[str, float]:
    """1.0 for each flag whose pattern is found, else 0.0."""
    plain = text.replace("’", "'")
    return {name: float(bool(_FLAGS[name].search(plain))) for name in FLAGS}


class RulesReader:
    """Reads by word lists. Always works, finds little: see the baseline rows of the evaluation."""

    name = "rules"

    def read(self, batch: Sequence[Utterance]) -> list[Reading]:
        """One reading for each utterance; earlier messages are not considered."""
        return [self._one(utterance.text) for utterance in batch]

    def _one(self, text: str) -> Reading:
        flags = flags_of(text)
        return Reading(states_of(text), flags, tuple(f for f in FLAGS if flags[f] > 0.5), model=self.name)
