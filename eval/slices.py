"""Where the reader is good and bad: by tag, on minimal pairs, in other languages."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from eval import plots, readers
from eval.data import LANGUAGES, Row, load_language
from eval.metrics import Counts, Estimate, accuracy, one_hot, ratio, resamples
from eval.options import Options
from eval.readers import Judged
from eval.report import Plot, Report, Table
from models.base import FLAGS, STATES, EmotionReader
from models.rules import RulesReader

FRUSTRATED = STATES.index("frustrated")
FEWEST = 5
"""Rows a slice needs to be shown."""
LANGUAGE_NAMES = {"de": "German", "es": "Spanish", "fr": "French"}


def by_tag(report: Report, judged: Judged, rows: Sequence[Row], weights: np.ndarray) -> None:
    """Accuracy, frustrated recall and false frustration for every tag."""
    tags = sorted({tag for row in rows for tag in row.tags})
    true, said = judged.true == FRUSTRATED, judged.predicted == FRUSTRATED
    lines: list[list[Any]] = []
    for tag in tags:
        mask = np.array([tag in row.tags for row in rows])
        if mask.sum() < FEWEST:
            continue
        right = Estimate.of(accuracy(judged.true[mask], judged.predicted[mask], weights[:, mask]))
        found = Estimate.of(ratio(said, true & mask, weights))
        false = Estimate.of(ratio(said, ~true & mask, weights))
        lines.append([tag, int(mask.sum()), right, found, false])
        report.figures.setdefault("tags", {})[tag] = {
            "rows": int(mask.sum()), "accuracy": right, "frustrated_recall": found, "false_frustration": false,
        }  # fmt: skip
    if not lines:
        return
    lines.sort(key=lambda line: line[2].value)
    svg = plots.bars([line[0] for line in lines], [(e.value, e.low, e.high) for e in (line[2] for line in lines)],
                     "accuracy over five states", "tags")  # fmt: skip
    table = Table("Slices", ["tag", "rows", "accuracy", "frustrated found", "false frustration"], lines)
    worst, best = lines[0], lines[-1]
    alt = f"Accuracy by tag: lowest {worst[0]} {worst[2].value:.2f}, highest {best[0]} {best[2].value:.2f}."
    report.parts.append(Plot("Slices by tag", svg, alt, table))


def complete_pairs(rows: Sequence[Row]) -> dict[str, list[list[int]]]:
    """Row numbers of both sides of every minimal pair, by kind (keep, flip)."""
    sides: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row.pair:
            sides[row.pair.kind, row.pair.id].append(i)
    found: dict[str, list[list[int]]] = {"keep": [], "flip": []}
    for (kind, _), numbers in sides.items():
        if len(numbers) == 2:
            found[kind].append(numbers)
    return found


def pairs(report: Report, contenders: dict[str, Judged], rows: Sequence[Row], seed: int) -> None:
    """Share of minimal pairs whose both sides are right."""
    found = complete_pairs(rows)
    groups = found | {"all": found["keep"] + found["flip"]}
    lines: list[list[Any]] = []
    for name, judged in contenders.items():
        right = judged.predicted == judged.true
        cells = {}
        for kind, numbers in groups.items():
            both = np.array([right[a] and right[b] for a, b in numbers], dtype=bool)
            weights = resamples(range(len(both)), seed)
            cells[kind] = Estimate.of(ratio(both, np.ones(len(both), dtype=bool), weights)) if len(both) else None
        lines.append([name, cells["all"], cells["keep"], cells["flip"]])
        report.figures.setdefault("pairs", {})[name] = cells
    headers = ["reader", f"both right ({len(groups['all'])})", f"keep ({len(groups['keep'])})",
               f"flip ({len(groups['flip'])})"]  # fmt: skip
    note = "Keep: dialect, typo, casing, emoji or a name changes and the label stays. Flip: a small word changes it."
    report.parts.append(Table("Minimal pairs, both sides right", headers, lines, note))


def languages(report: Report, reader: EmotionReader, options: Options) -> None:
    """The reader and the word lists off English, as shipped: nothing was fitted on these rows."""
    lines: list[list[Any]] = []
    for language in LANGUAGES:
        rows = load_language(language)
        weights = resamples([row.writer for row in rows], options.seed)
        for who in {reader.name: reader, "rules": RulesReader()}.values():
            judged = readers.judge(who, rows, f"{LANGUAGE_NAMES[language]} by {who.name}")
            counts = Counts.of(one_hot(judged.true, len(STATES)), one_hot(judged.predicted, len(STATES)), weights)
            macro = Estimate.of(counts.macro_f1)
            true, said = judged.true == FRUSTRATED, judged.predicted == FRUSTRATED
            found, false = (Estimate.of(ratio(said, part, weights)) for part in (true, ~true))
            asked = Estimate.of(
                Counts.of(judged.true_flags, judged.flagged, weights).recall[:, FLAGS.index("asked_for_human")]
            )
            lines.append([LANGUAGE_NAMES[language], who.name, len(rows), macro, found, false, asked])
            report.figures.setdefault("languages", {}).setdefault(language, {})[who.name] = {
                "macro_f1": macro, "frustrated_recall": found, "false_frustration": false, "asked_recall": asked,
            }  # fmt: skip
    headers = [
        "language",
        "reader",
        "rows",
        "macro-F1",
        "frustrated found",
        "false frustration",
        "asked for a person found",
    ]
    note = "The reader was trained on English alone. These rows belong to no split."
    report.parts.append(Table("Off English", headers, lines, note))
