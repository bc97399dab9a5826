"""Does the demo shop's matcher find the right answer, ask back when it should, and admit what it does not know."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from app.config import DEMO_SHOP
from eval import crossfit, plots, progress
from eval.data import Question, Split, load_questions, sample
from eval.judging import is_right
from eval.metrics import Estimate, ece, ratio, reliability, resamples
from eval.options import Options
from eval.report import Plot, Report, Table
from eval.shopfile import load_entries, shipped_calibration
from models.base import Candidate, Entry, Match, Outcome, SentenceEncoder
from models.catalog import load_encoder
from models.faq import HybridMatcher, MatcherCalibration
from models.smalltalk import smalltalk_kind

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
    contenders = match_all(questions, entries, loaded.model, options, name)
    weights = resamples(range(len(questions)), options.seed)
    facts = options.facts("-") | {"questions": len(questions), "entries": len(entries), "matcher": name}
    report = Report(options.name("faq"), "Finding the shop's answers", facts)
    add_overall(report, contenders, questions, weights)
    main = next(iter(contenders.values()))
    add_kinds(report, main, questions)
    add_calibration(report, main, questions, weights)
    add_errors(report, main, questions)
    return report


def match_all(
    questions: Sequence[Question],
    entries: Sequence[Entry],
    encoder: SentenceEncoder | None,
    options: Options,
    name: str,
) -> dict[str, Scored]:
    """The shipped matcher and its baselines; each baseline's probability is fitted off the scored rows."""
    shipped = shipped_calibration()
    texts = [q.text for q in questions]
    vectors = encode(encoder, texts)
    contenders = {}
    full = HybridMatcher(entries, encoder, shipped)
    if options.is_fitted_here:
        contenders[name] = refitted(full, shipped, questions, vectors, entries, options)
        contenders[f"{name}, as shipped"] = decided(full, shipped, questions, vectors, entries)
    else:
        contenders[name] = decided(full, shipped, questions, vectors, entries)
    words = HybridMatcher(entries, None, shipped)
    contenders["BM25 alone"] = refitted(words, shipped, questions, [None] * len(texts), entries, options)
    if encoder:
        bare = replace(shipped, lexical_weight=0.0, answer_weight=0.0)
        alone = HybridMatcher(entries, encoder, bare)
        contenders["vectors alone"] = refitted(alone, bare, questions, vectors, entries, options)
    known = Counter(i for q in load_questions(Split.DEV) for i in q.ids)
    most = tuple(i for i, _ in known.most_common(3))
    always = Match(Outcome.ANSWER, 1.0, (Candidate(most[0], 1.0),))
    contenders["always the most common"] = Scored([always] * len(questions), [most] * len(questions))
    return contenders


def encode(encoder: SentenceEncoder | None, texts: Sequence[str]) -> list[np.ndarray | None]:
    """One vector a text; None without an encoder."""
    if encoder is None:
        return [None] * len(texts)
    return [v for chunk in progress.bar(progress.chunks(texts, 16), "Questions") for v in encoder.encode(chunk)]


def score_matrix(matcher: HybridMatcher, texts: Sequence[str], vectors: Sequence[np.ndarray | None]) -> np.ndarray:
    """Shape (questions, entries)."""
    return np.stack([matcher.scores(text, vector) for text, vector in zip(texts, vectors, strict=True)])


def decided(
    matcher: HybridMatcher, calibration: MatcherCalibration, questions: Sequence[Question],
    vectors: Sequence[np.ndarray | None], entries: Sequence[Entry],
) -> Scored:  # fmt: skip
    """Outcomes under one calibration."""
    scores = score_matrix(matcher, [q.text for q in questions], vectors)
    return outcomes(scores, [calibration] * len(questions), questions, entries)


def refitted(
    matcher: HybridMatcher, calibration: MatcherCalibration, questions: Sequence[Question],
    vectors: Sequence[np.ndarray | None], entries: Sequence[Entry], options: Options,
) -> Scored:  # fmt: skip
    """Outcomes with P(right) fitted off the scored rows: on the other folds, or on all of dev for another split."""
    scores = score_matrix(matcher, [q.text for q in questions], vectors)
    if options.is_fitted_here:
        fold = crossfit.folds(range(len(questions)), options.seed)
        by_fold = {
            k: fit_probability(
                scores[fold != k], [q for q, f in zip(questions, fold, strict=True) if f != k], entries, calibration
            )
            for k in np.unique(fold)
        }
        return outcomes(scores, [by_fold[k] for k in fold], questions, entries)
    dev = load_questions(Split.DEV)
    with_vectors = any(v is not None for v in vectors)
    encoder = load_encoder().model if with_vectors else None
    on_dev = score_matrix(matcher, [q.text for q in dev], encode(encoder, [q.text for q in dev]))
    fitted = fit_probability(on_dev, dev, entries, calibration)
    return outcomes(scores, [fitted] * len(questions), questions, entries)


def fit_probability(
    scores: np.ndarray, questions: Sequence[Question], entries: Sequence[Entry], calibration: MatcherCalibration
) -> MatcherCalibration:
    """P(best entry is right) from the best score and its lead, as ``models.training matcher`` fits it."""
    used = [i for i, q in enumerate(questions) if q.expect != "smalltalk" and q.kind != "two_questions"]
    top = np.sort(scores[used], axis=1)[:, ::-1]
    features = np.stack([top[:, 0], top[:, 0] - top[:, 1]], axis=1)
    right = [questions[i].expect == "answer" and entries[scores[i].argmax()].id in questions[i].ids for i in used]
    if len(set(right)) < 2:
        return calibration
    model = LogisticRegression(C=10.0, max_iter=1000).fit(features, right)
    scale, margin = map(float, model.coef_[0])
    return replace(calibration, scale=scale, margin=margin, bias=float(model.intercept_[0]))


def outcomes(
    scores: np.ndarray,
    calibrations: Sequence[MatcherCalibration],
    questions: Sequence[Question],
    entries: Sequence[Entry],
) -> Scored:
    """Matches as ``HybridMatcher.match`` decides them, small talk first."""
    matches, best = [], []
    for row, calibration, question in zip(scores, calibrations, questions, strict=True):
        candidates = tuple(Candidate(entries[i].id, float(row[i])) for i in np.argsort(-row)[:3])
        outcome, probability = calibration.decide([c.score for c in candidates])
        if kind := smalltalk_kind(question.text):
            matches.append(Match(Outcome.SMALLTALK, 1.0, smalltalk=kind))
        else:
            shown = calibration.near(candidates) if outcome is Outcome.CLARIFY else candidates
            matches.append(Match(outcome, probability, shown))
        best.append(tuple(c.id for c in candidates))
    return Scored(matches, best)


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
        both = sum(set(q.ids) <= set(b) for _, b, q in mine) / len(mine) if kind == "two_questions" else None
        right = sum(is_right(m, q) for m, _, q in mine) / len(mine)
        rows.append([kind, len(mine), right, first, both, *(said[o.value] for o in Outcome)])
        report.figures.setdefault("kinds", {})[kind] = {
            "rows": len(mine),
            "right": right,
            "top_1": first,
            "outcomes": dict(said),
        }
    headers = ["kind", "rows", "as expected", "top-1", "both in top-3", *(o.value for o in Outcome)]
    report.parts.append(Table("By kind", headers, rows))


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
