"""The training loop: seeded, resumable, with a progress bar."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.nn import functional
from transformers import get_linear_schedule_with_warmup

from models.tokens import Tokens
from models.training.corpus import Example, batches_by_length
from models.training.network import Network

Mix = Callable[[int, random.Random], list[Example]]
"""The examples of one epoch; every epoch must have as many."""


@dataclass(frozen=True)
class Recipe:
    """Everything that shapes one run. The seed fixes initial heads, dropout, augmentation and order."""

    epochs: int = 4
    batch: int = 32
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    warmup: float = 0.1
    clip: float = 1.0
    seed: int = 0
    bfloat16: bool = True


class Encoded:
    """Examples turned into token ids once, padded batch by batch."""

    def __init__(self, examples: Sequence[Example], tokens: Tokens) -> None:
        self.examples = examples
        self._tokens = tokens
        self._packed = [tokens.pack(e.text, e.before) for e in examples]
        self.lengths = [len(row.ids) for row in self._packed]

    def inputs(self, indices: Sequence[int]) -> dict[str, torch.Tensor]:
        """What the network takes, each of shape (batch, longest row)."""
        arrays = self._tokens.batch([self._packed[i] for i in indices])
        return {name: torch.from_numpy(array) for name, array in arrays.items()}

    def targets(self, indices: Sequence[int], head: str, size: int) -> torch.Tensor:
        """Targets (batch, size); NaN where nothing is known."""
        unknown = np.full(size, np.nan, dtype=np.float32)
        return torch.from_numpy(np.stack([self.examples[i].targets.get(head, unknown) for i in indices]))


def loss_of(logits: Mapping[str, torch.Tensor], encoded: Encoded, indices: Sequence[int]) -> torch.Tensor:
    """Summed over labels and heads, averaged over the batch: cross-entropy for states, binary for the rest."""
    total = torch.zeros(())
    for head, values in logits.items():
        target = encoded.targets(indices, head, values.shape[1])
        known = ~torch.isnan(target)
        target = torch.nan_to_num(target)
        if head == "states":
            total = total - (target * functional.log_softmax(values, dim=1)).sum()
        else:
            losses = functional.binary_cross_entropy_with_logits(values, target, reduction="none")
            total = total + (losses * known).sum()
    return total / len(indices)


def fit(network: Network, mix: Mix, recipe: Recipe, folder: Path, tokens: Tokens) -> None:
    """Train in place. ``folder/last.pt`` is written after every epoch and picked up again after a stop."""
    folder.mkdir(parents=True, exist_ok=True)
    per_epoch = -(-len(mix(0, random.Random(0))) // recipe.batch)
    total = per_epoch * recipe.epochs
    run = _Run(network, recipe, total)
    done = run.resume(folder / "last.pt")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("training", total=total, completed=done * per_epoch)
        for epoch in range(done, recipe.epochs):
            torch.manual_seed(recipe.seed * 1000 + epoch)
            rng = random.Random(recipe.seed * 1000 + epoch)
            encoded = Encoded(mix(epoch, rng), tokens)
            network.train()
            losses: list[float] = []
            for indices in batches_by_length(encoded.lengths, recipe.batch, rng):
                losses.append(run.step(encoded, indices))
                progress.update(task, advance=1, description=f"epoch {epoch + 1} loss {np.mean(losses[-200:]):.3f}")
            print(f"epoch {epoch + 1}/{recipe.epochs} loss {np.mean(losses):.4f}", flush=True)
            run.save(folder / "last.pt", epoch + 1)


class _Run:
    """Network, optimiser and schedule of one run."""

    def __init__(self, network: Network, recipe: Recipe, total: int) -> None:
        self.network, self.recipe = network, recipe
        self.optimizer = torch.optim.AdamW(
            [p for p in network.parameters() if p.requires_grad],
            recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            fused=True,
        )
        self.schedule = get_linear_schedule_with_warmup(self.optimizer, int(total * recipe.warmup), total)

    def step(self, encoded: Encoded, indices: Sequence[int]) -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.bfloat16):
            logits = self.network(**encoded.inputs(indices))
        loss = loss_of({head: values.float() for head, values in logits.items()}, encoded, indices)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self.optimizer.step()
        self.schedule.step()
        self.optimizer.zero_grad()
        return float(loss.item())

    def save(self, path: Path, done: int) -> None:
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "recipe": asdict(self.recipe),
            "epochs_done": done,
        }
        partial = path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(path)

    def resume(self, path: Path) -> int:
        """Load a checkpoint of the same recipe; return how many epochs it has behind it."""
        if not path.exists():
            return 0
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if state["recipe"] != asdict(self.recipe):
            raise ValueError(f"{path} was made by another recipe; train into an empty folder or remove it")
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        return int(state["epochs_done"])


@torch.no_grad()
def predict(network: Network, examples: Sequence[Example], tokens: Tokens, batch: int = 64) -> dict[str, np.ndarray]:
    """Logits by head, each of shape (examples, labels of that head), in the examples' order."""
    encoded = Encoded(examples, tokens)
    network.eval()
    order = sorted(range(len(examples)), key=lambda i: encoded.lengths[i])
    parts: dict[str, list[np.ndarray]] = {name: [] for name in network.heads}
    for start in range(0, len(order), batch):
        for name, logits in network(**encoded.inputs(order[start : start + batch])).items():
            parts[name].append(logits.numpy())
    back = np.argsort(order)
    return {name: np.concatenate(chunks)[back] for name, chunks in parts.items()}
