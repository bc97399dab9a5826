"""What a message asks: its separate questions, and the order numbers and addresses that are no part of them."""

import re

MOST = 4
"""Questions of one message that are looked at."""
SHORTEST = 3
"""Words that a question of its own has at least."""
LONGEST = 40
"""Words of a message that is looked through for several questions: a longer one tells a story and asks one thing."""

_EMAIL = r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
_ORDER = r"(?:[a-z]{1,4}[-_]?)?(?!(?:19|20)\d\d\b)\d{4,20}(?:[-/]\d{1,10})*"
_REFERENCE = re.compile(rf"{_EMAIL}|(?<![\w£$€.,])#?{_ORDER}(?![\w.,]?\d)(?!\w)", re.I)
_AROUND = re.compile(
    r"(?:my|the|its?|it's|is|here|heres|here's|this|order|ref|reference|number|no|nr|id|code|e-?mail|address|"
    r"and|with|under|hi|hello|sure|yes|ok|okay|thanks|thank you|please|for|account|name|sorry|was|a|on)",
    re.I,
)
_ASKS = (
    r"(?:what|when|where|who|whom|whose|which|why|how|is|are|was|do|does|did|can|could|will|would|shall|should|may|"
    r"has|have|am|need|i(?:'d| would| want| need)|i'd|tell|send|please|get|cancel|change|add|take|no more|it|"
    r"haven't|hasn't|won't|isn't|doesn't)"
)
_ENDS = re.compile(r"(?<=[?!])\s+|(?<=[a-z0-9)])\.\s+|\n+|;\s+", re.I)
_JOINED = re.compile(rf",?\s+(?:and|&|also|plus|but)\s+(?:also\s+|then\s+)?(?={_ASKS}\b)", re.I)


def without_references(text: str) -> str:
    """The text without order numbers and e-mail addresses, which say nothing of what is asked."""
    plain = " ".join(_REFERENCE.sub(" ", text).split())
    return plain if plain else text


def is_reference(text: str) -> bool:
    """Whether a message gives an order number or an e-mail address and asks nothing."""
    if len(text) > 200 or not _REFERENCE.search(text):
        return False
    rest = re.sub(r"[^\w'\s-]", " ", _REFERENCE.sub(" ", text)).split()
    return len(rest) <= 8 and all(_AROUND.fullmatch(word) for word in rest)


def split_questions(text: str) -> list[str]:
    """The questions of a message, in order; a message that asks one thing is the only one.

    Told apart at the ends of sentences and where "and" is followed by a word that asks.
    """
    if len(text.split()) > LONGEST:
        return [text]
    found = [
        part.strip(" ,.")
        for sentence in _ENDS.split(text)
        for part in _JOINED.split(sentence)
        if len(part.split()) >= SHORTEST
    ]
    return found[:MOST] if len(found) > 1 else [text]
