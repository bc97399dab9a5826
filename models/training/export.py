"""From a trained network to what is shipped: int8 ONNX and tokenizer."""

import shutil
import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import nn

from models.tokens import Tokens
from models.training.network import BASE, HEADS, Network

INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class _HeadLogits(nn.Module):
    """The reader: logits of every head, in the order of HEADS."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor) -> tuple:
        logits = self.network(input_ids, attention_mask, token_type_ids)
        return tuple(logits[head] for head in HEADS)


class _UnitVector(nn.Module):
    """The sentence encoder: the pooled vector, scaled to length one."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        return nn.functional.normalize(self.network.pooled(input_ids, attention_mask, token_type_ids), dim=1)


def export_reader(network: Network, folder: Path) -> None:
    """Write the reader's ``model.onnx`` and ``tokenizer.json`` into ``folder``."""
    _export(_HeadLogits(network), list(HEADS), folder)


def export_encoder(folder: Path) -> None:
    """Write the untouched all-MiniLM-L6-v2 as a sentence encoder into ``folder``."""
    _export(_UnitVector(Network({})), ["vector"], folder)


def _export(module: nn.Module, outputs: list[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tokens = Tokens(BASE / "tokenizer.json")
    arrays = tokens.batch([tokens.pack("where is my parcel", ["hello"]), tokens.pack("hi")])
    batch, length = torch.export.Dim("batch", min=1, max=64), torch.export.Dim("length", min=2, max=512)
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / "full.onnx"
        program = torch.onnx.export(
            module.eval(),
            tuple(torch.from_numpy(arrays[name]) for name in INPUTS),
            dynamo=True,
            dynamic_shapes=({0: batch, 1: length},) * len(INPUTS),
            input_names=list(INPUTS),
            output_names=outputs,
            opset_version=20,
            verbose=False,
        )
        program.save(str(full))
        quantize_dynamic(full, folder / "model.onnx", weight_type=QuantType.QInt8, per_channel=True)
    shutil.copyfile(BASE / "tokenizer.json", folder / "tokenizer.json")
