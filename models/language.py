"""Which language a message is written in, told by its script or by its commonest small words.

A shop must know when a customer writes in a language it does not speak; it need not know every language. Small
words were enough: on this project's messages no English one is taken for another language, dialects included, and
more German, Spanish and French ones are found than by a model that takes 84 MB (docs/adr/0013-language.md).
"""

import re
import unicodedata
from collections import Counter
from pathlib import Path

import yaml

FEWEST_WORDS = 3
"""Shorter messages are anyone's: "ok", "hola", "danke"."""
FEWEST_HITS = 2

_SCRIPTS = {
    "CYRILLIC": "ru", "GREEK": "el", "ARABIC": "ar", "HEBREW": "he", "DEVANAGARI": "hi", "THAI": "th",
    "HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "CJK": "zh",
}  # fmt: skip


class _Words:
    """Small words by what they speak for."""

    def __init__(self, path: Path) -> None:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        shared = set(raw["shared"].split())
        self.english = set(raw["english"].split()) - shared
        self.of: dict[str, list[str]] = {}
        for language, words in raw["languages"].items():
            for word in set(words.split()) - self.english - shared:
                self.of.setdefault(word, []).append(language)


_WORDS = _Words(Path(__file__).parent / "languages.yaml")


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of a language that is surely not English; None: English, or too little to say."""
    return _by_script(text) or _by_small_words(text)


def _by_script(text: str) -> str | None:
    letters = [c for c in text if c.isalpha()]
    found = Counter(
        _SCRIPTS.get(unicodedata.name(c, "").split(" ")[0].split("-")[0]) for c in letters if ord(c) > 0x36F
    )
    found.pop(None, None)
    if not found or sum(found.values()) * 2 < len(letters):
        return None
    return "ja" if found["ja"] else found.most_common(1)[0][0]


def _by_small_words(text: str) -> str | None:
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.casefold().replace("’", "'"))
    if len(words) < FEWEST_WORDS:
        return None
    hits: Counter[str] = Counter(language for word in words for language in _WORDS.of.get(word, ()))
    if not hits:
        return None
    language, most = hits.most_common(1)[0]
    english = sum(word in _WORDS.english for word in words)
    return language if most >= FEWEST_HITS and most > english and most * 5 >= len(words) else None
