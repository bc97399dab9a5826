"""Does the demo shop's matcher find the right answer, ask back when it should, and admit what it does not know."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from app.config import DEMO_SHOP
from eval import crossfit, intents, plots, progress
from eval.data import Question, Split, load_questions, sample
from eval.judging import is_right
from eval.metrics import Estimate, ece, ratio, reliability, resamples
from eval.options import Options
from eval.report import Plot, Report, Table
from eval.shopfile import load_entries, shipped_calibration
from models.base import Candidate, Entry, Match, Outcome
from models.catalog import load_encoder
from models.faq import HybridMatcher, MatcherCalibration
from models.training.matcher import Remembering, logistic

KINDS_NOTE = (
    "Top-1 and top-3 over questions with an answer. Answered: share of those that got an answer, right or wrong. "
    "Wrong answers: share of all questions (small talk aside) answered with an entry that is not right, unknown and "
    "ambiguous ones included. Clarify: ambiguous questions asked back with a right entry among the choices."
)


@dataclass(frozen=True)
class Scored:
    """What one matcher makes of the questions: the match, and its best three entries whatever it decided."""

    matches: Sequence[Match]
    best: Sequence[tuple[str, ...]]


def run(options: Options) -> Report:
    """Match, compare and report."""
    questions = sample(load_questions(options.split), options.limit, options.seed)
    loaded, entries = load_encoder(), load_entries(DEMO_SHOP)
    if loaded.problem:
        progress.notices.print(f"[yellow]Words alone are matched:[/yellow] {loaded.problem}")
    name = "hybrid" if loaded.model else "hybrid without vectors"
    encoder = Remembering(loaded.model) if loaded.model else None
    contenders = match_all(questions, entries, encoder, options, name)
    weights = resamples(range(len(questions)), options.seed)
    facts = options.facts("-") | {"questions": len(questions), "entries": len(entries), "matcher": name}
    report = Report(options.name("faq"), "Finding the shop's answers", facts)
    add_overall(report, contenders, questions, weights)
    main = next(iter(contenders.values()))
    add_kinds(report, main, questions)
    add_calibration(report, main, questions, weights)
    add_errors(report, main, questions)
    if encoder:
        intents.add(report, encoder, options)
    return report


def match_all(
    questions: Sequence[Question],
    entries: Sequence[Entry],
    encoder: Remembering | None,
    options: Options,
    name: str,
) -> dict[str, Scored]:
    """The shipped matcher and its baselines; each baseline's probability is fitted off the scored rows."""
    shipped = shipped_calibration()
    if encoder:
        for chunk in progress.bar(progress.chunks([q.text for q in questions], 16), "Questions"):
            encoder.encode(chunk)
    full = HybridMatcher(entries, encoder, shipped)
    contenders = {}
    if options.is_fitted_here:
        contenders[name] = refitted(full, shipped, questions, options)
        contenders[f"{name}, as shipped"] = decided(full, [shipped] * len(questions), questions)
    else:
        contenders[name] = decided(full, [shipped] * len(questions), questions)
    words = replace(shipped.words_alone or shipped, piece_weight=0.0)
    contenders["BM25 alone"] = refitted(HybridMatcher(entries, None, words), words, questions, options)
    if encoder:
        nearest = NearestMatcher(entries, encoder, shipped)
        contenders["nearest phrasing"] = refitted(nearest, shipped, questions, options)
    known = Counter(i for q in load_questions(Split.DEV) for i in q.ids)
    most = tuple(i for i, _ in known.most_common(3))
    always = Match(Outcome.ANSWER, 1.0, (Candidate(most[0], 1.0),))
    contenders["always the most common"] = Scored([always] * len(questions), [most] * len(questions))
    return contenders


class NearestMatcher(HybridMatcher):
    """The baseline: cosine to the nearest phrasing of each entry, nothing else."""

    def __init__(self, entries: Sequence[Entry], encoder: Remembering, calibration: MatcherCalibration) -> None:
        super().__init__(entries, encoder, calibration)
        self._each = [encoder.encode(entry.phrasings) for entry in entries]

    def scores(self, text: str, vector: np.ndarray | None) -> np.ndarray:
        """Cosine of the nearest phrasing of every entry, shape (entries,)."""
        return np.array([float((phrasings @ vector).max()) for phrasings in self._each])


def decided(
    matcher: HybridMatcher, calibrations: Sequence[MatcherCalibration], questions: Sequence[Question]
) -> Scored:
    """What the matcher does with each question under its calibration, and its best three entries."""
    matches, best = [], []
    for calibration, question in zip(calibrations, questions, strict=True):
        asked = matcher.under(calibration)
        matches.extend(asked.match([question.text]))
        best.append(asked.best(question.text))
    return Scored(matches, best)


def refitted(
    matcher: HybridMatcher, calibration: MatcherCalibration, questions: Sequence[Question], options: Options
) -> Scored:
    """Outcomes with the probabilities fitted off the scored rows: on the other folds, or on dev for another split."""
    if not options.is_fitted_here:
        fitted = fit_probabilities(matcher, load_questions(Split.DEV), calibration)
        return decided(matcher, [fitted] * len(questions), questions)
    fold = crossfit.folds(range(len(questions)), options.seed)
    by_fold = {
        k: fit_probabilities(matcher, [q for q, f in zip(questions, fold, strict=True) if f != k], calibration)
        for k in np.unique(fold)
    }
    return decided(matcher, [by_fold[k] for k in fold], questions)


def fit_probabilities(
    matcher: HybridMatcher, questions: Sequence[Question], calibration: MatcherCalibration
) -> MatcherCalibration:
    """Both probabilities, as ``models.training matcher`` fits them."""
    used = [q for q in questions if q.expect != "smalltalk" and q.kind != "two_questions"]
    looked = [matcher.look(q.text) for q in used]
    features = np.stack([features for _, features in looked])
    fits = np.array([bool(q.ids) for q in used])
    right = np.array([q.expect == "answer" and best in q.ids for q, (best, _) in zip(used, looked, strict=True)])
    if len(set(fits)) < 2 or len(set(right[fits])) < 2:
        return calibration
    return replace(calibration, known=logistic(features, fits), right=logistic(features[fits], right[fits]))


def measures(scored: Scored, questions: Sequence[Question], weights: np.ndarray) -> dict[str, Estimate]:
    """The figures of one matcher."""
    expect = np.array([q.expect for q in questions])
    said = np.array([m.outcome.value for m in scored.matches])
    right = np.array([is_right(m, q) for m, q in zip(scored.matches, questions, strict=True)])
    first = np.array([b[0] in q.ids for b, q in zip(scored.best, questions, strict=True)])
    third = np.array([bool(set(b) & set(q.ids)) for b, q in zip(scored.best, questions, strict=True)])
    wrong = np.array([
        m.outcome is Outcome.ANSWER and not (q.expect == "answer" and m.candidates[0].id in q.ids)
        for m, q in zip(scored.matches, questions, strict=True)
    ])  # fmt: skip
    parts = {
        "top_1": (first, expect == "answer"), "top_3": (third, expect == "answer"),
        "answered": (said == "answer", expect == "answer"), "wrong_answers": (wrong, expect != "smalltalk"),
        "unknown_recall": (said == "unknown", expect == "unknown"), "clarify_recall": (right, expect == "clarify"),
        "smalltalk_recall": (right, expect == "smalltalk"), "right": (right, np.ones(len(right), dtype=bool)),
    }  # fmt: skip
    return {name: Estimate.of(ratio(part, whole, weights)) for name, (part, whole) in parts.items()}


def add_overall(
    report: Report, contenders: dict[str, Scored], questions: Sequence[Question], weights: np.ndarray
) -> None:
    """All matchers side by side."""
    rows: list[list[Any]] = []
    for name, scored in contenders.items():
        found = measures(scored, questions, weights)
        report.figures.setdefault("faq", {})[name] = found
        rows.append([name, *found.values()])
    headers = ["matcher", "top-1", "top-3", "answered", "wrong answers", "unknown found", "clarify", "small talk",
               "all as expected"]  # fmt: skip
    note = (
        KINDS_NOTE + " Probabilities are cross-fitted on dev; the answer and clarify thresholds are the shipped ones."
    )
    report.parts.append(Table("Questions to the demo shop", headers, rows, note))


def add_kinds(report: Report, scored: Scored, questions: Sequence[Question]) -> None:
    """What was made of each kind of question."""
    rows: list[list[Any]] = []
    for kind in sorted({q.kind for q in questions}):
        mine = [(m, b, q) for m, b, q in zip(scored.matches, scored.best, questions, strict=True) if q.kind == kind]
        said = Counter(m.outcome.value for m, _, _ in mine)
        first = sum(b[0] in q.ids for _, b, q in mine) / len(mine) if any(q.ids for _, _, q in mine) else None
        further = [other.candidates[0].id in q.ids for m, _, q in mine for other in m.also]
        right = sum(is_right(m, q) for m, _, q in mine) / len(mine)
        rows.append([kind, len(mine), right, first, *(said[o.value] for o in Outcome), len(further), sum(further)])
        report.figures.setdefault("kinds", {})[kind] = {
            "rows": len(mine),
            "right": right,
            "top_1": first,
            "outcomes": dict(said),
            "further_answers": len(further),
            "further_right": sum(further),
        }
    headers = ["kind", "rows", "as expected", "top-1", *(o.value for o in Outcome), "further answers", "of them right"]
    note = (
        "Further answers: to what a message asks besides, given only where at least two of its questions are answered."
    )
    report.parts.append(Table("By kind", headers, rows, note))


def add_calibration(report: Report, scored: Scored, questions: Sequence[Question], weights: np.ndarray) -> None:
    """Whether the matcher's probability is what it says."""
    used = np.array([m.outcome is not Outcome.SMALLTALK for m in scored.matches])
    stated = np.array([m.probability for m in scored.matches])[used]
    right = np.array([q.expect == "answer" and b[0] in q.ids for b, q in zip(scored.best, questions, strict=True)])[
        used
    ]
    error = Estimate.of(ece(stated, right, weights[:, used]))
    report.figures["ece"] = error
    bins = reliability(stated, right)
    table = Table("Bins", ["stated", "rows", "mean stated", "right"],
                  [[f"{b.low:.1f}-{b.high:.1f}", b.rows, b.confidence, b.right] for b in bins])  # fmt: skip
    alt = f"Reliability of P(best entry is right); ECE {error}."
    svg = plots.reliability({"hybrid": bins}, "faq-reliability", "right")
    report.parts.append(Plot("Does the matcher know when it knows?", svg, alt, table))


def add_errors(report: Report, scored: Scored, questions: Sequence[Question]) -> None:
    """Every wrong answer."""
    rows: list[list[Any]] = [
        [q.text, q.expect, ", ".join(q.ids) or "-", m.candidates[0].id, m.probability]
        for m, q in zip(scored.matches, questions, strict=True)
        if m.outcome is Outcome.ANSWER and not is_right(m, q)
    ]
    rows.sort(key=lambda row: -row[4])
    report.parts.append(
        Table("Wrong answers, surest first", ["question", "expected", "entry", "answered with", "P"], rows)
    )
