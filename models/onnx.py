"""One way to run an exported network: small, single-threaded, the same answer whatever shares the batch."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime

from models.base import ModelUnavailable
from models.tokens import Tokens


class OnnxNetwork:
    """A folder with ``model.onnx`` and ``tokenizer.json``. Raises ModelUnavailable when either will not load."""

    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
            self._tokens = Tokens(folder / "tokenizer.json")
        except Exception as error:  # both libraries raise bare exceptions of their own for every kind of bad file
            raise ModelUnavailable(
                f"The model in {folder} cannot be loaded ({type(error).__name__}). "
                "Restore the folder from the release, or train it with: python -m models.training"
            ) from error
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(self, texts: Sequence[str], before: Sequence[Sequence[str]] | None = None) -> dict[str, np.ndarray]:
        """Outputs by name, each of shape (texts, width).

        Rows run one by one: dynamic quantisation scales by the whole batch, so a shared batch would change a
        reading with its neighbours, and on one thread it is no faster (docs/adr/0003-rows-run-alone.md).
        """
        earlier: Sequence[Sequence[str]] = before if before is not None else [()] * len(texts)
        packed = [self._tokens.pack(text, b) for text, b in zip(texts, earlier, strict=True)]
        rows = [self._session.run(self._outputs, self._tokens.batch([row])) for row in packed]
        return {name: np.concatenate([row[i] for row in rows]) for i, name in enumerate(self._outputs)}
