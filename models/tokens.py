"""Words to token ids, the same way in training and in service."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

MAX_MESSAGE = 80
"""Tokens kept of the message being read; of a longer one the first and the last half are kept."""
MAX_BEFORE = 40
"""Tokens kept of what the customer wrote before; the latest are kept."""

LOOKED_AT = 4000
"""Characters from either end of a text that are looked at; more could not fill the tokens that are kept."""


class Tokens:
    """A WordPiece tokenizer that packs a message and what came before it into two segments."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        ids = (self._tokenizer.token_to_id(t) for t in ("[CLS]", "[SEP]", "[PAD]", "[UNK]"))
        self._cls, self._sep, self.pad, unknown = ids
        self._empty = [unknown]

    def pack(self, text: str, before: Sequence[str] = ()) -> tuple[list[int], list[int]]:
        """Token ids and segment ids: [CLS] message [SEP], segment 0, then earlier messages [SEP], segment 1."""
        message = _middle_out(self._ids(text[:LOOKED_AT] + text[LOOKED_AT:][-LOOKED_AT:]), MAX_MESSAGE) or self._empty
        ids = [self._cls, *message, self._sep]
        earlier = self._ids(" ".join(before)[-LOOKED_AT:])[-MAX_BEFORE:]
        if not earlier:
            return ids, [0] * len(ids)
        tail = [*earlier, self._sep]
        return ids + tail, [0] * len(ids) + [1] * len(tail)

    def batch(self, packed: Sequence[tuple[list[int], list[int]]]) -> dict[str, np.ndarray]:
        """int64 arrays of shape (rows, longest row): input_ids, attention_mask, token_type_ids."""
        width = max(len(ids) for ids, _ in packed)
        arrays = {
            name: np.full((len(packed), width), fill, dtype=np.int64)
            for name, fill in (("input_ids", self.pad), ("attention_mask", 0), ("token_type_ids", 0))
        }
        for row, (ids, segments) in enumerate(packed):
            arrays["input_ids"][row, : len(ids)] = ids
            arrays["attention_mask"][row, : len(ids)] = 1
            arrays["token_type_ids"][row, : len(ids)] = segments
        return arrays

    def _ids(self, text: str) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=False).ids if text else []


def _middle_out(ids: list[int], limit: int) -> list[int]:
    if len(ids) <= limit:
        return ids
    half = limit // 2
    return ids[:half] + ids[-(limit - half) :]
