"""Fit the handoff's rules on labelled dialogues: ``python -m eval handoff --fit``.

Every turn of a dialogue is understood once by the shipped reader and matcher; the weights are those of a logistic
regression with no weight below zero (handoff.need); the thresholds are the ones that serve a shop with the usual
costs best. What is reported is cross-fitted: each dialogue is played by rules that were fitted without its writer.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from app.config import DEMO_SHOP
from eval import progress, readers
from eval.crossfit import folds
from eval.data import Dialogue, turns_of
from eval.dialogues import Outcome, Run, first_only
from eval.shopfile import matcher_for
from handoff.costs import Costs
from handoff.need import FEATURES
from handoff.policy import FITTED, Act, Rules, decide
from handoff.signals import CustomerTurn, Signals, signals_of
from models.base import EmotionReader
from models.catalog import load_encoder

RIDGE = 0.0005
MISSED, NEEDLESS = 1.0, 1.0
"""What a dialogue that needed a person in time and got none costs, against a calm one that was interrupted."""
STEPS = np.linspace(0.1, 0.95, 35)


@dataclass(frozen=True)
class Understood:
    """A dialogue with what the reader and the matcher made of each turn."""

    dialogue: Dialogue
    signals: tuple[Signals, ...]
    """At every turn, had the bot never offered a person."""


def understand(reader: EmotionReader, dialogues: Sequence[Dialogue]) -> list[Understood]:
    """Read and match every turn, as the demo shop's bot would."""
    rows = turns_of(dialogues)
    readings = iter(readers.read_all(reader, [row.utterance for row in rows], "Turns"))
    matcher = matcher_for(DEMO_SHOP, load_encoder().model)
    done = []
    for dialogue in progress.bar(dialogues, "Matching"):
        matches = matcher.match(dialogue.texts)
        turns = tuple(
            CustomerTurn(
                f"{dialogue.id}#{i}", text, (reading := next(readings)).states, reading.flagged, match.outcome.value,
                entry_id=match.candidates[0].id if match.candidates else None, score=match.probability,
                vector=match.vector, act=match.outcome.value,
            )
            for i, (text, match) in enumerate(zip(dialogue.texts, matches, strict=True))
        )  # fmt: skip
        signals = tuple(signals_of(turns[: i + 1]) for i in range(len(turns)))
        done.append(Understood(dialogue, signals))
    return done


def played(chats: Iterable[Understood], rules: Rules) -> list[Run]:
    """Each dialogue up to the first offer or handoff."""
    runs = []
    for chat in chats:
        acts = [decide(signals, rules).act in (Act.OFFER, Act.HANDOFF) for signals in chat.signals]
        runs.append(first_only(chat.dialogue, acts))
    return runs


def fit(chats: Sequence[Understood]) -> dict[str, Any]:
    """What ``handoff/rules.json`` holds: weights, bias, and the units of the three thresholds.

    Dialogues that the reader was trained on have no place among ``chats``: it is too sure of them.
    """
    weights, bias = fit_weights(chats)
    base = Rules(weights, bias, offer_at=2.0, first_offer_at=2.0, handoff_at=2.0)
    offer_at, first = _best_thresholds(chats, base)
    handoff_at = min(0.97, max(offer_at + 0.1, 1 - (1 - offer_at) / 3))
    unit = {
        name: _unit(threshold)
        for name, threshold in (("offer", offer_at), ("first_offer", first), ("handoff", handoff_at))
    }
    return {"weights": {k: round(v, 4) for k, v in weights.items() if v > 0}, "bias": round(bias, 4), "units": unit}


def rules_of(fitted: dict[str, Any], costs: Costs | None = None) -> Rules:
    """Rules from what ``fit`` returns."""
    threshold = (costs or Costs()).threshold
    units = {name: threshold(unit) for name, unit in fitted["units"].items()}
    return Rules(fitted["weights"], fitted["bias"], units["offer"], units["first_offer"], units["handoff"])


def fit_weights(chats: Sequence[Understood]) -> tuple[dict[str, float], float]:
    """Logistic regression over turns: needed inside the window, not before it, not in calm dialogues."""
    features, needed = _table(chats)
    share = np.where(needed, 0.5 / max(needed.mean(), 1e-6), 0.5 / max(1 - needed.mean(), 1e-6)) / len(needed)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        z = features @ parameters[1:] + parameters[0]
        p = 1 / (1 + np.exp(-z))
        value = -(share * np.where(needed, np.log(p + 1e-9), np.log(1 - p + 1e-9))).sum()
        slope = share * (p - needed)
        gradient = np.concatenate([[slope.sum()], features.T @ slope + 2 * RIDGE * parameters[1:]])
        return float(value + RIDGE * (parameters[1:] ** 2).sum()), gradient

    bounds = [(None, None)] + [(0, None)] * features.shape[1]
    best = minimize(loss, np.zeros(1 + features.shape[1]), jac=True, bounds=bounds, method="L-BFGS-B").x
    return {f.name: float(w) for f, w in zip(FEATURES, best[1:], strict=True)}, float(best[0])


def crossfitted(chats: Sequence[Understood], seed: int) -> list[Run]:
    """Every dialogue of ``chats`` played by rules that were fitted on other writers' dialogues."""
    fold = folds([chat.dialogue.writer for chat in chats], seed)
    runs: dict[int, Run] = {}
    for k in progress.bar(sorted(set(fold.tolist())), "Folds"):
        rules = rules_of(fit([chat for chat, f in zip(chats, fold, strict=True) if f != k]))
        here = [i for i, f in enumerate(fold) if f == k]
        runs |= dict(zip(here, played([chats[i] for i in here], rules), strict=True))
    return [runs[i] for i in range(len(chats))]


def curve(chats: Sequence[Understood], rules: Rules) -> np.ndarray:
    """Share of all dialogues escalated and share inside the window, by offer threshold; shape (STEPS, 2)."""
    points = []
    for at in STEPS:
        first = max(at, rules.first_offer_at)
        runs = played(chats, replace(rules, offer_at=at, first_offer_at=first, handoff_at=2.0))
        needed = [run for run in runs if run.dialogue.window]
        inside = np.mean([run.outcome is Outcome.INSIDE for run in needed])
        points.append((np.mean([run.moment is not None for run in runs]), inside))
    return np.array(points)


def write(fitted: dict[str, Any], made: dict[str, Any], path: Path = FITTED) -> None:
    """Write ``handoff/rules.json`` with how it was made."""
    path.write_text(json.dumps(fitted | {"made": made}, indent=1) + "\n", encoding="utf-8")


def worth(runs: Sequence[Run]) -> float:
    """Share inside the window, less what interrupting the calm costs."""
    needed = [run for run in runs if run.dialogue.window]
    calm = [run for run in runs if not run.dialogue.window]
    inside = np.mean([run.outcome is Outcome.INSIDE for run in needed]) if needed else 0.0
    needless = np.mean([run.outcome is Outcome.NEEDLESS for run in calm]) if calm else 0.0
    return float(MISSED * inside - NEEDLESS * needless)


def _best_thresholds(chats: Sequence[Understood], base: Rules) -> tuple[float, float]:
    """Offer thresholds from the second and for the first message; of equals the middle, which is safest."""
    scored = [
        (worth(played(chats, replace(base, offer_at=at, first_offer_at=max(at, first)))), at, max(at, first))
        for at in STEPS
        for first in STEPS[::3]
    ]
    best = max(value for value, _, _ in scored)
    good = [(at, first) for value, at, first in scored if value >= best - 0.005]
    return float(np.median([at for at, _ in good])), float(np.median([first for _, first in good]))


def _table(chats: Sequence[Understood]) -> tuple[np.ndarray, np.ndarray]:
    """Features (turns, features) and whether a person was needed then; turns after the window teach nothing."""
    rows, needed = [], []
    for chat in chats:
        window = chat.dialogue.window
        for number, signals in enumerate(chat.signals, 1):
            if window and number > window[1]:
                break
            rows.append([f.of(signals) for f in FEATURES])
            needed.append(window is not None and number >= window[0])
    return np.array(rows, dtype=float), np.array(needed)


def _unit(threshold: float) -> float:
    """The unit with which the usual costs give this threshold."""
    usual = Costs()
    at_one = usual.threshold(1.0)
    return round(threshold / (1 - threshold) / (at_one / (1 - at_one)), 4)
