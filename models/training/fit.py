"""The training loop: seeded, resumable, with a progress bar."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.nn import functional
from transformers import PreTrainedTokenizerBase, get_linear_schedule_with_warmup

from models.training.corpus import Example, batches_by_length
from models.training.network import Network


@dataclass(frozen=True)
class Recipe:
    """Everything that shapes one run. The seed fixes initial heads, dropout and the order of batches."""

    epochs: int = 4
    batch: int = 32
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    warmup: float = 0.1
    max_tokens: int = 64
    clip: float = 1.0
    seed: int = 0
    bfloat16: bool = True


class Encoded:
    """Examples turned into token ids once, padded batch by batch."""

    def __init__(self, examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, max_tokens: int) -> None:
        self.examples = examples
        self.tokenizer = tokenizer
        before = [" ".join(e.before) for e in examples]
        self.rows = [
            tokenizer(e.text, b or None, truncation="longest_first", max_length=max_tokens)
            for e, b in zip(examples, before, strict=True)
        ]
        self.lengths = [len(row["input_ids"]) for row in self.rows]

    def inputs(self, indices: Sequence[int]) -> dict[str, torch.Tensor]:
        """Token ids, attention mask and segment ids, each of shape (batch, longest row)."""
        padded = self.tokenizer.pad([self.rows[i] for i in indices], return_tensors="pt")
        return {name: padded[name] for name in ("input_ids", "attention_mask", "token_type_ids")}

    def targets(self, indices: Sequence[int], head: str, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Targets (batch, size) and a mask (batch, 1) that is 0 where the head is unlabelled."""
        known = [self.examples[i].targets.get(head) for i in indices]
        mask = torch.tensor([[0.0 if k is None else 1.0] for k in known])
        rows = [np.zeros(size, dtype=np.float32) if k is None else k for k in known]
        return torch.from_numpy(np.stack(rows)), mask


def loss_of(logits: Mapping[str, torch.Tensor], encoded: Encoded, indices: Sequence[int]) -> torch.Tensor:
    """Binary cross-entropy summed over labels and heads, averaged over the examples of the batch."""
    total = torch.zeros(())
    for head, values in logits.items():
        target, mask = encoded.targets(indices, head, values.shape[1])
        total = total + (functional.binary_cross_entropy_with_logits(values, target, reduction="none") * mask).sum()
    return total / len(indices)


def fit(network: Network, examples: Sequence[Example], recipe: Recipe, folder: Path,
        tokenizer: PreTrainedTokenizerBase) -> None:  # fmt: skip
    """Train in place. ``folder/last.pt`` is written after every epoch and picked up again after a stop."""
    encoded = Encoded(examples, tokenizer, recipe.max_tokens)
    per_epoch = -(-len(examples) // recipe.batch)
    optimizer = torch.optim.AdamW(
        network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    total = per_epoch * recipe.epochs
    schedule = get_linear_schedule_with_warmup(optimizer, int(total * recipe.warmup), total)
    checkpoint = folder / "last.pt"
    done = _resume(checkpoint, network, optimizer, schedule, recipe)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("training", total=total, completed=done * per_epoch)
        for epoch in range(done, recipe.epochs):
            torch.manual_seed(recipe.seed * 1000 + epoch)
            rng = random.Random(recipe.seed * 1000 + epoch)
            network.train()
            seen, running = 0, 0.0
            for indices in batches_by_length(examples, encoded.lengths, recipe.batch, rng):
                with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bfloat16):
                    logits = network(**encoded.inputs(indices))
                loss = loss_of({k: v.float() for k, v in logits.items()}, encoded, indices)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
                optimizer.step()
                schedule.step()
                optimizer.zero_grad()
                seen, running = seen + 1, running + loss.item()
                progress.update(task, advance=1, description=f"epoch {epoch + 1} loss {running / seen:.3f}")
            _save(checkpoint, network, optimizer, schedule, recipe, epoch + 1)


def _save(path: Path, network: Network, optimizer, schedule, recipe: Recipe, done: int) -> None:
    state = {
        "network": network.state_dict(), "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(), "recipe": asdict(recipe), "epochs_done": done,
    }  # fmt: skip
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def _resume(path: Path, network: Network, optimizer, schedule, recipe: Recipe) -> int:
    """Load a checkpoint of the same recipe; return how many epochs it has behind it."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    if state["recipe"] != asdict(recipe):
        raise ValueError(f"{path} was made by another recipe; train into an empty folder or remove it")
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return int(state["epochs_done"])


@torch.no_grad()
def predict(network: Network, examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase,
            max_tokens: int, batch: int = 64) -> dict[str, np.ndarray]:  # fmt: skip
    """Logits by head, each of shape (examples, labels of that head), in the examples' order."""
    encoded = Encoded(examples, tokenizer, max_tokens)
    network.eval()
    order = sorted(range(len(examples)), key=lambda i: encoded.lengths[i])
    parts: dict[str, list[np.ndarray]] = {name: [] for name in network.heads}
    for start in range(0, len(order), batch):
        for name, logits in network(**encoded.inputs(order[start : start + batch])).items():
            parts[name].append(logits.numpy())
    back = np.argsort(order)
    return {name: np.concatenate(chunks)[back] for name, chunks in parts.items()}
