"""The lower layers, through which every text passes once: reading and sentence vector both stand on them.

They are all-MiniLM-L6-v2's own, never trained here (docs/adr/0016-one-trunk.md). A text's token vectors do not
depend on what is read beside it, so they are remembered: a customer's earlier messages are not computed again.
"""

import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np

from models.onnx import OnnxNetwork, unusable
from models.tokens import Tokens

REMEMBERED = 256
"""Texts whose token vectors are kept, by their token ids: 30 kB each, at most 126 kB."""


class Trunk:
    """A folder with ``trunk.onnx`` and ``tokenizer.json``. Raises ModelUnavailable when either will not load."""

    def __init__(self, folder: Path) -> None:
        self._network = OnnxNetwork(folder / "trunk.onnx", "input_ids")
        try:
            self._tokens = Tokens(folder / "tokenizer.json")
        except Exception as error:  # the library raises bare exceptions
            raise unusable(folder / "tokenizer.json", error) from error
        self._lock = threading.Lock()
        self._remembered: OrderedDict[tuple[int, ...], np.ndarray] = OrderedDict()

    def hidden(self, text: str) -> np.ndarray:
        """Token vectors of one text, float32 of shape (tokens, width); read only.

        Whoever asks for a text that another thread is at waits for it: that is what they share.
        """
        ids = tuple(self._tokens.ids(text))
        with self._lock:
            if (known := self._remembered.get(ids)) is not None:
                self._remembered.move_to_end(ids)
                return known
            hidden = self._network.run(input_ids=np.array([ids], dtype=np.int64))["hidden"][0]
            hidden.setflags(write=False)
            self._remembered[ids] = hidden
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)
            return hidden
