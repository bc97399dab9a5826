"""How well the reader reads: five states, flags, calibration, the bound on misses, GoEmotions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from eval import conformal, crossfit, goemotions, plots, progress, readers, slices
from eval.baselines import Majority, Vader, Words
from eval.data import DataMissing, Row, Split, load_rows, sample
from eval.metrics import (
    Bin,
    Counts,
    Estimate,
    accuracy,
    confusion,
    ece,
    ece_of_perfect,
    one_hot,
    precision_recall,
    ratio,
    reliability,
    resamples,
)
from eval.options import Options
from eval.readers import Judged
from eval.report import Plot, Report, Table
from handoff.signals import UPSET
from models.base import FLAGS, STATES, EmotionReader
from models.rules import RulesReader

FRUSTRATED = STATES.index("frustrated")


@dataclass(frozen=True)
class Study:
    """One set of rows and what every contender says of them; the first contender is the one that is measured."""

    rows: Sequence[Row]
    weights: np.ndarray
    contenders: dict[str, Judged]

    @property
    def name(self) -> str:
        """The measured contender's name."""
        return next(iter(self.contenders))

    @property
    def main(self) -> Judged:
        """What the measured contender says."""
        return self.contenders[self.name]


def run(options: Options) -> Report:
    """Read, compare, and report."""
    reader = readers.open_reader(options.reader)
    study = make_study(reader, options)
    name = options.name("emotion")
    report = Report(name, "Reading how customers feel", options.facts(reader.name) | {"rows": len(study.rows)})
    states(report, study)
    confusions(report, study)
    flags(report, study)
    calibration(report, study, options)
    frustrated_curve(report, study)
    bound(report, reader, study, options)
    slices.by_tag(report, study.main, study.rows, study.weights)
    slices.pairs(report, study.contenders, study.rows, options.seed)
    slices.languages(report, reader, options)
    try:
        goemotions.add(report, reader, options)
    except DataMissing as error:
        progress.notices.print(f"[yellow]Without GoEmotions:[/yellow] {error}")
    return report


def make_study(reader: EmotionReader, options: Options, *, baselines: bool = True) -> Study:
    """Rows of the split, read by the reader and, with ``baselines``, by what it must beat."""
    rows = sample(load_rows(options.split), options.limit, options.seed)
    shipped = readers.judge(reader, rows)
    contenders = {reader.name: shipped}
    if options.is_fitted_here:
        contenders = {reader.name: cross_fitted(shipped, rows, options.seed), f"{reader.name}, as shipped": shipped}
    if baselines:
        train = sample(load_rows(Split.TRAIN), options.limit, options.seed)
        for other in (Majority(train), RulesReader(), Vader(), Words(train)):
            contenders.setdefault(other.name, readers.judge(other, rows))
    return Study(rows, resamples([row.writer for row in rows], options.seed), contenders)


def cross_fitted(shipped: Judged, rows: Sequence[Row], seed: int) -> Judged:
    """The same readings, calibrated and thresholded without the row they are for."""
    fold = crossfit.folds([row.writer for row in rows], seed)
    probabilities, flagged = crossfit.flags(shipped.flags, shipped.true_flags, fold)
    return replace(
        shipped, states=crossfit.states(shipped.states, shipped.true, fold), flags=probabilities, flagged=flagged
    )


def state_counts(judged: Judged, weights: np.ndarray) -> Counts:
    """Hits by state."""
    return Counts.of(one_hot(judged.true, len(STATES)), one_hot(judged.predicted, len(STATES)), weights)


def states(report: Report, study: Study) -> None:
    """Macro-F1 and accuracy of every contender, on everything, on single messages and on dialogue turns."""
    single = np.array([row.source == "message" for row in study.rows])
    everything = np.ones(len(single), dtype=bool)
    rows: list[list[Any]] = []
    for name, judged in study.contenders.items():
        scores = {
            part: Estimate.of(state_counts(judged.only(mask), study.weights[:, mask]).macro_f1)
            for part, mask in (("all", everything), ("messages", single), ("turns", ~single))
            if mask.any()
        }
        right = Estimate.of(accuracy(judged.true, judged.predicted, study.weights))
        rows.append([name, *(scores.get(part) for part in ("all", "messages", "turns")), right])
        report.figures.setdefault("states", {})[name] = scores | {"accuracy": right}
    note = "Brackets: bootstrap 95 %, writers drawn whole. On dev the first line is cross-fitted over writers."
    headers = ["reader", "macro-F1, all", "single messages", "dialogue turns", "accuracy, all"]
    report.parts.append(Table("Five states", headers, rows, note))
    counts = state_counts(study.main, study.weights)
    rows = [
        [state, int((study.main.true == i).sum()),
         *(Estimate.of(values[:, i]) for values in (counts.precision, counts.recall, counts.f1))]
        for i, state in enumerate(STATES)
    ]  # fmt: skip
    report.figures["by_state"] = {
        row[0]: dict(zip(("precision", "recall", "f1"), row[2:], strict=True)) for row in rows
    }
    report.parts.append(Table(f"State by state, {study.name}", ["state", "rows", "precision", "recall", "F1"], rows))


def confusions(report: Report, study: Study) -> None:
    """The confusion matrix."""
    matrix = confusion(study.main.true, study.main.predicted, len(STATES))
    (i, j), most = max(
        (((i, j), n) for (i, j), n in np.ndenumerate(matrix) if i != j), key=lambda item: item[1], default=((0, 0), 0)
    )
    alt = f"Confusion matrix. The most frequent confusion: {STATES[i]} read as {STATES[j]}, {most} times."
    table = Table("Counts", ["labelled", *STATES], [[s, *map(int, matrix[k])] for k, s in enumerate(STATES)])
    report.figures["confusion"] = matrix.tolist()
    report.parts.append(Plot("What is taken for what", plots.confusion(matrix, STATES, "confusion"), alt, table))


def flags(report: Report, study: Study) -> None:
    """Precision, recall and false positives of the three flags."""
    rows: list[list[Any]] = []
    for name, judged in study.contenders.items():
        if not judged.flagged.any():
            continue
        counts = Counts.of(judged.true_flags, judged.flagged, study.weights)
        for i, flag in enumerate(FLAGS):
            false = Estimate.of(ratio(judged.flagged[:, i], ~judged.true_flags[:, i], study.weights))
            cells = [Estimate.of(v[:, i]) for v in (counts.precision, counts.recall, counts.f1)] + [false]
            rows.append([flag, name, int(judged.true_flags[:, i].sum()), *cells])
            named = dict(zip(("precision", "recall", "f1", "false_positive_rate"), cells, strict=True))
            report.figures.setdefault("flags", {}).setdefault(flag, {})[name] = named
    rows.sort(key=lambda row: FLAGS.index(row[0]))
    headers = ["flag", "reader", "rows", "precision", "recall", "F1", "flagged though not so"]
    report.parts.append(Table("Flags", headers, rows, "Majority and VADER raise no flags and are left out."))


def calibration(report: Report, study: Study, options: Options) -> None:
    """Expected calibration error, and the reliability curve."""
    curves: dict[str, list[Bin]] = {}
    rows: list[list[Any]] = []
    for name, judged in study.contenders.items():
        confidence, right = judged.states.max(axis=1), judged.predicted == judged.true
        error = Estimate.of(ece(confidence, right, study.weights))
        floor = ece_of_perfect(confidence, options.seed)
        rows.append([name, error, floor])
        report.figures.setdefault("ece", {})[name] = {"ece": error, "floor": floor}
        if len(curves) < 2:
            curves[name] = reliability(confidence, right)
    note = "Floor: what perfect calibration would show on so few rows. The bootstrap lies a little high, as ECE does."
    report.parts.append(Table("Calibration of the state", ["reader", "ECE, 10 bins", "floor"], rows, note))
    bins = curves[study.name]
    table = Table("Bins", ["stated", "rows", "mean stated", "right"],
                  [[f"{b.low:.1f}-{b.high:.1f}", b.rows, b.confidence, b.right] for b in bins])  # fmt: skip
    alt = "Reliability curve: of the messages read with a stated probability, the share that was right, by bin."
    report.parts.append(Plot("Does 70 % mean 70 %?", plots.reliability(curves, "reliability"), alt, table))


def frustrated_curve(report: Report, study: Study) -> None:
    """Precision and recall of frustration, with the policy's threshold."""
    true = study.main.true == FRUSTRATED
    curves = {}
    for name, judged in study.contenders.items():
        if name.endswith("as shipped") or name == "majority":
            continue
        _, precision, recall = precision_recall(judged.states[:, FRUSTRATED], true)
        curves[name] = (precision, recall)
    at = UPSET
    rows: list[list[Any]] = []
    for threshold in sorted({0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, at}):
        said = study.main.states[:, FRUSTRATED] >= threshold
        hits = int((said & true).sum())
        rows.append([f"{threshold:g}", hits / max(1, int(said.sum())), hits / max(1, int(true.sum()))])
        if threshold == at:
            chosen = (f"policy: {at:g}", rows[-1][1], rows[-1][2])
    report.figures["frustrated_at_policy"] = {"threshold": at, "precision": chosen[1], "recall": chosen[2]}
    at_policy = f"precision {chosen[1]:.2f}, recall {chosen[2]:.2f}"
    alt = f"Precision and recall of frustration. At the policy's threshold {at:g}: {at_policy}."
    table = Table("Points", ["threshold", "precision", "recall"], rows)
    svg = plots.precision_recall(curves, chosen, "precision-recall")
    report.parts.append(Plot("Finding the frustrated", svg, alt, table))


def bound(report: Report, reader: EmotionReader, study: Study, options: Options) -> None:
    """Split-conformal bound: chosen on half the dev writers and checked on the others (test: on all of dev)."""
    shipped = list(study.contenders.values())[1 if options.is_fitted_here else 0]
    scores, true = shipped.states[:, FRUSTRATED], shipped.true == FRUSTRATED
    writers = [row.writer for row in study.rows]
    average: float | None = None
    if options.is_fitted_here:
        half = conformal.halves(writers, options.seed)
        found = conformal.check((scores[half], true[half]), (scores[~half], true[~half]), options.alpha)
        average = conformal.over_halvings(scores, true, writers, options.alpha, options.seed)
    else:
        dev = readers.judge(reader, load_rows(Split.DEV), "Dev, for the bound")
        chosen_on = (dev.states[:, FRUSTRATED], dev.true == FRUSTRATED)
        found = conformal.check(chosen_on, (scores, true), options.alpha)
    report.figures["conformal"] = vars(found) | {"miss_rate_over_200_halvings": average}
    rows = [[
        f"{found.alpha:.0%}", found.threshold, found.calibration_rows, found.checked_rows, found.miss_rate, average,
        found.false_alarm_rate,
    ]]  # fmt: skip
    headers = ["promised", "threshold", "chosen on", "checked on", "missed", "missed, mean of 200 halvings",
               "others over it"]  # fmt: skip
    note = (
        "Split-conformal: whoever reaches the threshold is looked at, and at most the promised share of frustrated "
        "messages is missed, on average over draws of exchangeable messages. Halves are split by writer."
    )
    report.parts.append(Table("A bound on missed frustration", headers, rows, note))
