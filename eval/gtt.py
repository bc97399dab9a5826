"""Golden transfer within tolerance (GT-T), the published measure of machine-human chatting handoff.

Liu et al., "Time to Transfer" (AAAI 2021), as in the authors' code: each predicted transfer p scores
max over gold transfers q of exp(-(p - q)^2 / ((1 - lam * sign(p - q)) * 2 t^2)); a dialogue scores the mean
over its predictions. Without gold a dialogue scores 1 if nothing is predicted, else 0; with gold and nothing
predicted, 0. It has no recall term (one right transfer of five scores as five of five), so F1 goes beside it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

TOLERANCES = (1, 2, 3)


@dataclass(frozen=True)
class TransferScores:
    """Means over dialogues, and F1 over all turns."""

    gtt: tuple[float, float, float]
    """GT-I, GT-II, GT-III."""
    precision: float
    recall: float
    f1: float


def dialogue_gtt(predicted: Sequence[int], gold: Sequence[int], tolerance: int, lam: float = 0.0) -> float:
    """GT-T of one dialogue, 0..1.

    ``predicted`` and ``gold`` are 0 or 1 for each turn; ``tolerance`` in turns; ``lam`` in [0, 1) forgives early
    transfers and punishes late ones. Raises ValueError for lengths that differ or values out of range.
    """
    if len(predicted) != len(gold):
        raise ValueError(f"{len(predicted)} predictions for {len(gold)} turns")
    if tolerance <= 0 or not 0 <= lam < 1:
        raise ValueError("tolerance must be positive and lam in [0, 1)")
    at = [i for i, value in enumerate(predicted) if value]
    wanted = [i for i, value in enumerate(gold) if value]
    if not wanted:
        return float(not at)
    if not at:
        return 0.0
    return sum(max(_closeness(p - q, tolerance, lam) for q in wanted) for p in at) / len(at)


def _closeness(bias: int, tolerance: int, lam: float) -> float:
    sign = (bias > 0) - (bias < 0)
    return math.exp(-(bias**2) / ((1 - lam * sign) * 2 * tolerance**2))


def transfer_scores(
    predicted: Sequence[Sequence[int]], gold: Sequence[Sequence[int]], lam: float = 0.0
) -> TransferScores:
    """GT-I to GT-III and turn-level F1 over dialogues of any length."""
    pairs = list(zip(predicted, gold, strict=True))
    one, two, three = (sum(dialogue_gtt(p, g, t, lam) for p, g in pairs) / max(1, len(pairs)) for t in TOLERANCES)
    hits = sum(bool(a and b) for p, g in pairs for a, b in zip(p, g, strict=True))
    said, true = (sum(bool(v) for row in rows for v in row) for rows in (predicted, gold))
    precision, recall = hits / said if said else 0.0, hits / true if true else 0.0
    f1 = 2 * hits / (said + true) if said + true else 0.0
    return TransferScores((one, two, three), precision, recall, f1)
