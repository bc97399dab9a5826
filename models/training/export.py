"""From a trained network to what is shipped: int8 ONNX, in three parts over one trunk, and the tokenizer."""

import shutil
import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from models.tokens import Tokens
from models.training.network import BASE, HEADS, Network, mean_of


class _Trunk(nn.Module):
    """Token ids (1, tokens) to token vectors."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        return self.network.hidden(input_ids)


class _HeadLogits(nn.Module):
    """The reader: logits of every head, in the order of HEADS, from token vectors and how far back each lies."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, hidden: torch.Tensor, back: torch.Tensor) -> tuple[torch.Tensor, ...]:
        logits = self.network.logits(hidden, back)
        return tuple(logits[head] for head in HEADS)


class _UnitVector(nn.Module):
    """The sentence encoder: the mean of the upper layers' token vectors, scaled to length one."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        everywhere = torch.ones(hidden.shape[:2], dtype=torch.bool)
        return nn.functional.normalize(mean_of(self.network.upper(hidden), everywhere), dim=1)


def export_reader(network: Network, folder: Path) -> None:
    """Write the reader's ``model.onnx``: upper layers and heads, to be used over the trunk."""
    hidden = _example(network)
    back = torch.zeros(hidden.shape[:2], dtype=torch.int64)
    _export(_HeadLogits(network), {"hidden": hidden, "back": back}, list(HEADS), folder / "model.onnx")


def export_encoder(folder: Path) -> None:
    """Write the untouched all-MiniLM-L6-v2 into ``folder``: trunk, upper layers for the vector, and tokenizer."""
    network = Network({})
    _export(_Trunk(network), {"input_ids": _ids()}, ["hidden"], folder / "trunk.onnx")
    _export(_UnitVector(network), {"hidden": _example(network)}, ["vector"], folder / "vector.onnx")
    shutil.copyfile(BASE / "tokenizer.json", folder / "tokenizer.json")


def _ids() -> torch.Tensor:
    return torch.tensor([Tokens(BASE / "tokenizer.json").ids("where is my parcel")])


@torch.no_grad()
def _example(network: Network) -> torch.Tensor:
    return network.eval().hidden(_ids())


def _export(module: nn.Module, inputs: dict[str, torch.Tensor], outputs: list[str], path: Path) -> None:
    """One row of any length, quantised to int8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    length = torch.export.Dim("length", min=2, max=512)
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / "full.onnx"
        program = torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            dynamo=True,
            dynamic_shapes=tuple({1: length} for _ in inputs),
            input_names=list(inputs),
            output_names=outputs,
            opset_version=20,
            verbose=False,
        )
        program.save(str(full))
        quantize_dynamic(full, path, weight_type=QuantType.QInt8, per_channel=True)
