"""One way to load an exported network: small, single-threaded, the same answer for a row whatever else is asked."""

from pathlib import Path

import numpy as np
import onnxruntime

from models.base import ModelUnavailable

SLOWER = ["SkipLayerNormFusion"]
"""On a CPU the fused operator takes five times as long as the two it replaces: a sixth of a whole pass."""


class OnnxNetwork:
    """One ``.onnx`` file with these inputs. Raises ModelUnavailable when it will not load or takes others."""

    def __init__(self, path: Path, *inputs: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOWER
            )
        except Exception as error:  # the library raises bare exceptions of its own for every kind of bad file
            raise unusable(path, error) from error
        taken = {given.name for given in self._session.get_inputs()}
        if taken != set(inputs):
            raise unusable(path, ValueError(f"takes {', '.join(sorted(taken))}, not {', '.join(sorted(inputs))}"))
        self._outputs = [output.name for output in self._session.get_outputs()]

    def run(self, **inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs by name for one row: inputs have a leading axis of 1.

        Rows run one by one: dynamic quantisation scales by the whole batch, so a shared batch would change a
        reading with its neighbours, and on one thread it is no faster (docs/adr/0003-rows-run-alone.md).
        """
        return dict(zip(self._outputs, self._session.run(self._outputs, inputs), strict=True))


def unusable(path: Path, error: Exception) -> ModelUnavailable:
    """What to say, and to do, when a model's file cannot be used."""
    return ModelUnavailable(
        f"The model {path} cannot be loaded ({error if type(error) is ValueError else type(error).__name__}). "
        "Restore the folder from the release, or train it with: python -m models.training"
    )
