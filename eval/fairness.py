"""Whether people are read alike whatever their English: false frustration, escalation, pairs that must keep."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from eval import plots, readers
from eval.data import Row
from eval.emotion import FRUSTRATED, make_study
from eval.metrics import Estimate, ratio, resamples
from eval.options import Options
from eval.readers import Judged
from eval.report import Plot, Report, Table
from eval.slices import complete_pairs
from handoff.policy import Act, Rules, decide
from handoff.signals import CustomerTurn, signals_of
from models.base import FLAGS, STATES

DIALECTS = ("aave", "scots", "irish", "indian_english", "african_english", "non_native")
FORMS = ("typo", "caps", "lowercase", "emoji", "young_writer", "older_writer", "voice_dictated")
FEWEST = 5


def run(options: Options) -> Report:
    """Read, compare and report."""
    reader = readers.open_reader(options.reader)
    study = make_study(reader, options, baselines=False)
    single = np.array([row.source == "message" for row in study.rows])
    rows = [row for row, s in zip(study.rows, single, strict=True) if s]
    judged, weights = study.main.only(single), study.weights[:, single]
    report = Report(options.name("fairness"), "Read alike", options.facts(reader.name) | {"messages": len(rows)})
    add_gaps(report, rows, judged, weights)
    add_pairs(report, rows, judged, options.seed)
    return report


def escalates(judged: Judged, rows: Sequence[Row], rules: Rules) -> np.ndarray:
    """Whether the policy would offer or call a person for each message taken alone, bool of shape (rows,)."""
    result = np.zeros(len(judged.true), dtype=bool)
    for i, (row, states, flagged) in enumerate(zip(rows, judged.states, judged.flagged, strict=True)):
        turn = CustomerTurn(
            row.id, row.text, dict(zip(STATES, map(float, states), strict=True)),
            [f for f, on in zip(FLAGS, flagged, strict=True) if on], outcome="answer",
        )  # fmt: skip
        result[i] = decide(signals_of([turn]), rules).act in (Act.OFFER, Act.HANDOFF)
    return result


def groups_of(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    """Masks: plain (no tag of dialect or form), each dialect, all dialects together, each form."""
    tags = [set(row.tags) for row in rows]
    masks = {"plain": np.array([not t & {*DIALECTS, *FORMS} for t in tags])}
    masks["any dialect"] = np.array([bool(t & set(DIALECTS)) for t in tags])
    for tag in (*DIALECTS, *FORMS):
        masks[tag] = np.array([tag in t for t in tags])
    return {name: mask for name, mask in masks.items() if mask.sum() >= FEWEST}


def add_gaps(report: Report, rows: Sequence[Row], judged: Judged, weights: np.ndarray) -> None:
    """False frustration and needless escalation by group, and their ratio to plain messages."""
    calm = judged.true != FRUSTRATED
    needs_nobody = calm & ~judged.true_flags.any(axis=1)
    false, escalated = judged.predicted == FRUSTRATED, escalates(judged, rows, Rules.fitted())
    groups = groups_of(rows)
    lines: list[list[Any]] = []
    if "plain" not in groups:
        return
    plain = {
        "false": ratio(false, calm & groups["plain"], weights),
        "escalated": ratio(escalated, needs_nobody & groups["plain"], weights),
    }
    for name, mask in groups.items():
        rate, needless = ratio(false, calm & mask, weights), ratio(escalated, needs_nobody & mask, weights)
        missed = Estimate.of(ratio(~false, ~calm & mask, weights))
        times = None if name == "plain" else Estimate.of(_times(rate, plain["false"]))
        gap = None if name == "plain" else Estimate.of(needless - plain["escalated"])
        cells = [Estimate.of(rate), times, missed, Estimate.of(needless), gap]
        lines.append([name, int((calm & mask).sum()), *cells])
        keys = ("false_frustration", "times_plain", "missed_frustration", "needless_escalation", "escalation_gap")
        report.figures.setdefault("groups", {})[name] = dict(zip(keys, cells, strict=True))
    headers = ["written in", "not frustrated", "false frustration", "times plain", "frustration missed",
               "needless escalation", "gap to plain"]  # fmt: skip
    note = (
        "False frustration: share of the messages that are not frustrated and are read so. Needless escalation: share "
        "of those that are neither frustrated nor flagged for which the policy, seeing this message alone, would offer "
        "or call a person."
    )
    table = Table("By how it is written", headers, lines, note)
    rates = [line[2] for line in lines]
    svg = plots.bars(
        [line[0] for line in lines], [(e.value, e.low, e.high) for e in rates], "false frustration", "groups"
    )
    alt = f"False frustration by group; plain {rates[0]}."
    report.parts.append(Plot("False frustration and escalation", svg, alt, table, note))


def _times(rate: np.ndarray, plain: np.ndarray) -> np.ndarray:
    """How many times the plain rate; NaN where nothing plain is misread."""
    return np.asarray(np.divide(rate, plain, out=np.full(len(rate), np.nan), where=plain > 0))


def pair_kind(one: Row, other: Row) -> str:
    """What a keep-pair changes: a dialect, a form, or something that no tag names (a name, a word)."""
    changed = set(one.tags) ^ set(other.tags)
    for kind in (*DIALECTS, *FORMS):
        if kind in changed:
            return "dialect" if kind in DIALECTS else kind
    if one.text.casefold() == other.text.casefold():
        return "casing"
    return "other (name, emoji, wording)"


def add_pairs(report: Report, rows: Sequence[Row], judged: Judged, seed: int) -> None:
    """Keep-pairs by what changes: read alike, both right, and how far P(frustrated) moves."""
    by_kind: dict[str, list[list[int]]] = {}
    for sides in complete_pairs(rows)["keep"]:
        by_kind.setdefault(pair_kind(rows[sides[0]], rows[sides[1]]), []).append(sides)
    by_kind["all"] = [sides for found in list(by_kind.values()) for sides in found]
    lines: list[list[Any]] = []
    for kind, found in by_kind.items():
        if not found:
            continue
        a, b = np.array(found).T
        weights, every = resamples(range(len(a)), seed), np.ones(len(a), dtype=bool)
        same = Estimate.of(ratio(judged.predicted[a] == judged.predicted[b], every, weights))
        right = Estimate.of(
            ratio((judged.predicted == judged.true)[a] & (judged.predicted == judged.true)[b], every, weights)
        )
        moved = float(np.abs(judged.states[a, FRUSTRATED] - judged.states[b, FRUSTRATED]).mean())
        lines.append([kind, len(a), same, right, moved])
        report.figures.setdefault("keep_pairs", {})[kind] = {
            "pairs": len(a),
            "read_alike": same,
            "both_right": right,
            "moved": moved,
        }
    headers = ["what changes", "pairs", "read alike", "both right", "P(frustrated) moves by"]
    report.parts.append(Table("Pairs that must keep their label", headers, lines))
