"""Words to token ids, the same way in training and in service."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from models.base import EARLIER

MAX_MESSAGE = 80
"""Tokens kept of a message; of a longer one the first and the last half are kept."""
SEEN_OF_EARLIER = 24
"""Tokens that are seen of each earlier message, the first and the last half of them."""

LOOKED_AT = 4000
"""Characters from either end of a text that are looked at; more could not fill the tokens that are kept."""


@dataclass(frozen=True)
class Packed:
    """One message with what came before it, each of them [CLS] words [SEP] of its own; all of one length."""

    ids: list[int]
    positions: list[int]
    """Counted from 0 in every message."""
    back: list[int]
    """0 for the message being read, 1 for the one before it, and so on."""
    seen: list[bool]
    """Whether the reader sees this token; only of earlier messages some are left out."""


class Tokens:
    """A WordPiece tokenizer. Raises whatever the library raises when the file will not load."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        ids = (self._tokenizer.token_to_id(t) for t in ("[CLS]", "[SEP]", "[PAD]", "[UNK]"))
        self._cls, self._sep, self.pad, self._unknown = ids

    def ids(self, text: str) -> list[int]:
        """[CLS] words [SEP]; an empty text is one unknown word."""
        looked_at = text[:LOOKED_AT] + text[LOOKED_AT:][-LOOKED_AT:]
        words = self._tokenizer.encode(looked_at, add_special_tokens=False).ids if looked_at else []
        return [self._cls, *_middle_out(words or [self._unknown], MAX_MESSAGE), self._sep]

    def pack(self, text: str, before: Sequence[str] = ()) -> Packed:
        """A message and the latest of the earlier ones (oldest first in ``before``), as training takes them."""
        packed = Packed([], [], [], [])
        for back, said in enumerate((text, *said_before(before))):
            ids = self.ids(said)
            packed.ids.extend(ids)
            packed.positions.extend(range(len(ids)))
            packed.back.extend([back] * len(ids))
            seen = set(range(len(ids)) if back == 0 else seen_of_earlier(len(ids)))
            packed.seen.extend(i in seen for i in range(len(ids)))
        return packed

    def batch(self, packed: Sequence[Packed]) -> dict[str, np.ndarray]:
        """Arrays of shape (rows, longest row): input_ids, position_ids, back (-1 where a row is padded), seen."""
        shape = (len(packed), max(len(row.ids) for row in packed))
        arrays = {
            "input_ids": np.full(shape, self.pad, dtype=np.int64),
            "position_ids": np.zeros(shape, dtype=np.int64),
            "back": np.full(shape, -1, dtype=np.int64),
            "seen": np.zeros(shape, dtype=bool),
        }
        for i, row in enumerate(packed):
            for name, values in zip(arrays, (row.ids, row.positions, row.back, row.seen), strict=True):
                arrays[name][i, : len(values)] = values
        return arrays


def said_before(before: Sequence[str]) -> list[str]:
    """The earlier messages that are looked at, the latest first; empty ones are as good as none."""
    return [text for text in reversed(before) if text.strip()][:EARLIER]


def seen_of_earlier(length: int) -> list[int]:
    """Which tokens of an earlier message of so many tokens are seen."""
    return _middle_out(list(range(length)), SEEN_OF_EARLIER)


def _middle_out(items: list[int], limit: int) -> list[int]:
    if len(items) <= limit:
        return items
    half = limit // 2
    return items[:half] + items[-(limit - half) :]
