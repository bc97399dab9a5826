"""Public collections of questions with many examples each, cross-validated inside their training splits.

Banking77 (Casanueva et al. 2020): 77 entries, 10,003 examples. HINT3 (Arora et al. 2020): three shops' entries as
their owners wrote them. Their test splits are not read here; what is asked is left out of the entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval import progress
from eval.data import DataMissing, sample
from eval.metrics import Estimate, ratio, resamples
from eval.options import Options
from eval.report import Report, Table
from eval.shopfile import shipped_calibration
from models.base import Entry, Match, Outcome
from models.faq import HybridMatcher
from models.training.matcher import Remembering
from models.training.trials import (
    HINT3,
    Question,
    Trial,
    foreign_texts,
    is_held_out,
    public_trials,
    read_examples,
)

NOTE = (
    "Not the official test sets: examples of the training splits are asked, which are never among the entries. "
    "Banking77: one fifth, asked of the other four. HINT3: five rounds; near copies of what is "
    "asked are not among the entries; beside them a fifth of the entries is taken away and asked about, and chat. "
    "Known: right entry and not called unknown. Unknown found: called unknown where no entry fits."
)


@dataclass(frozen=True)
class Asked:
    """What came of a collection's questions; one row a question."""

    fits: np.ndarray
    first: np.ndarray
    nearest: np.ndarray
    unknown: np.ndarray


def add(report: Report, encoder: Remembering, options: Options) -> None:
    """One row a collection, where its data is at hand."""
    rows: list[list[Any]] = []
    for name, trials in collections(encoder, options).items():
        asked = ask(name, trials, encoder)
        weights = resamples(range(len(asked.fits)), options.seed)
        found = {
            "right_first": Estimate.of(ratio(asked.first, asked.fits, weights)),
            "nearest": Estimate.of(ratio(asked.nearest, asked.fits, weights)),
            "known": Estimate.of(ratio(asked.first & ~asked.unknown, asked.fits, weights)),
            "unknown_found": Estimate.of(ratio(asked.unknown, ~asked.fits, weights)),
        }
        rows.append([name, len(asked.fits), *found.values()])
        report.figures.setdefault("intents", {})[name] = found
    if rows:
        headers = ["collection", "questions", "right entry first", "nearest phrasing", "known", "unknown found"]
        report.parts.append(Table("Public collections, cross-validated on their training splits", headers, rows, NOTE))


def collections(encoder: Remembering, options: Options) -> dict[str, list[Trial]]:
    """The trials of every collection that is at hand; a line says which is not."""
    found: dict[str, list[Trial]] = {}
    try:
        found["Banking77"] = [banking_trial(options)]
    except DataMissing as error:
        progress.notices.print(f"[yellow]Left out:[/yellow] {error}")
    try:
        foreign = _from(options, foreign_texts, "clinc150 and multidogo")
        for shop in HINT3:
            examples = _from(
                options, lambda data, shop=shop: read_examples(data / "hint3" / f"{shop}_train.csv"), "hint3"
            )
            found[f"HINT3 {shop}"] = list(public_trials(shop, examples, foreign, encoder, options.seed))
    except DataMissing as error:
        progress.notices.print(f"[yellow]Left out:[/yellow] {error}")
    return found


def banking_trial(options: Options) -> Trial:
    """Four fifths of the examples as entries, the last fifth asked. Raises DataMissing."""
    examples = _from(options, lambda data: read_examples(data / "banking77" / "train.csv"), "banking77")
    entries = [Entry(i, tuple(t for t in texts if not is_held_out(t))) for i, texts in sorted(examples.items())]
    asked = [Question(t, frozenset({i})) for i, texts in sorted(examples.items()) for t in texts if is_held_out(t)]
    return Trial("Banking77", entries, sample(asked, options.limit, options.seed))


def ask(name: str, trials: Sequence[Trial], encoder: Remembering) -> Asked:
    """Ask everything, with a bar."""
    rows: list[tuple[bool, bool, bool, bool]] = []
    for number, trial in enumerate(trials, 1):
        texts = [text for entry in trial.entries for text in entry.phrasings] + [q.text for q in trial.questions]
        for chunk in progress.bar(progress.chunks(texts, 64), f"{name} {number}/{len(trials)}, vectors"):
            encoder.encode(chunk)
        matcher = HybridMatcher(trial.entries, encoder, shipped_calibration())
        phrasings = encoder.encode([text for entry in trial.entries for text in entry.phrasings])
        owners = [entry.id for entry in trial.entries for _ in entry.phrasings]
        for question in progress.bar(trial.questions, f"{name} {number}/{len(trials)}, questions"):
            [match] = matcher.match([question.text])
            nearest = owners[int((phrasings @ encoder.encode([question.text])[0]).argmax())]
            rows.append((bool(question.ids), _first(match) in question.ids, nearest in question.ids, _unknown(match)))
    return Asked(*(np.array(column) for column in zip(*rows, strict=True)))


def _first(match: Match) -> str | None:
    return match.candidates[0].id if match.candidates else None


def _unknown(match: Match) -> bool:
    return match.outcome in (Outcome.UNKNOWN, Outcome.SMALLTALK)


def _from(options: Options, load: Any, what: str) -> Any:
    try:
        return load(options.data)
    except OSError as error:
        raise DataMissing(f"{what} is not in {options.data} ({error.strerror}).") from error
