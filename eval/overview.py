"""Everything at a glance: the headline figure of each measure beside the goal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eval.options import Options
from eval.report import Report, Table

Figures = dict[str, dict[str, Any]]
"""Figures of every report, by command."""


@dataclass(frozen=True)
class Goal:
    """One line of the table: where its figure is found, and what is aimed at."""

    measure: str
    goal: str
    find: Callable[[Figures], Any]


def first(figures: dict[str, Any]) -> Any:
    """The measured contender's figures: it always comes first."""
    return next(iter(figures.values()))


GOALS = (
    Goal("GoEmotions dev macro-F1, thresholds cross-fitted", "0.53",
         lambda f: first(f["emotion"]["goemotions"])["macro_f1"]),
    Goal("five states macro-F1, messages and turns", "0.85", lambda f: first(f["emotion"]["states"])["all"]),
    Goal("request for a person, recall", "0.98", lambda f: first(f["emotion"]["flags"]["asked_for_human"])["recall"]),
    Goal("request for a person, false", "<= 0.005",
         lambda f: first(f["emotion"]["flags"]["asked_for_human"])["false_positive_rate"]),
    Goal("minimal pairs, both right", "0.90", lambda f: first(f["emotion"]["pairs"])["all"]),
    Goal("flip pairs, both right", "0.75", lambda f: first(f["emotion"]["pairs"])["flip"]),
    Goal("ECE of the states", "<= 0.02", lambda f: first(f["emotion"]["ece"])["ece"]),
    Goal("dialogues, inside the window", "0.85", lambda f: first(f["handoff"]["handoff"])["inside"]),
    Goal("dialogues, calm ones interrupted", "<= 0.10", lambda f: first(f["handoff"]["handoff"])["needless"]),
    Goal("false frustration, dialect against plain", "<= 1.15 times",
         lambda f: f["fairness"]["groups"]["any dialect"]["times_plain"]),
    Goal("FAQ, the right entry first", "-", lambda f: first(f["faq"]["faq"])["top_1"]),
    Goal("FAQ, wrong answers", "-", lambda f: first(f["faq"]["faq"])["wrong_answers"]),
    Goal("one reading and vector, times faster than RoBERTa-base", "20",
         lambda f: f["speed"]["reader and FAQ vector"]["by_1"]["times_faster"]),
    Goal("16 at once, times faster", "20", lambda f: f["speed"]["reader and FAQ vector"]["by_16"]["times_faster"]),
)  # fmt: skip


def of(reports: dict[str, Report], options: Options, reader: str) -> Report:
    """The overview of several reports by command."""
    figures = {name: report.figures for name, report in reports.items()}
    rows = []
    for goal in GOALS:
        try:
            found = goal.find(figures)
        except (KeyError, StopIteration):
            found = None
        rows.append([goal.measure, found, goal.goal])
    report = Report(options.name("all"), "Everything at a glance", options.facts(reader))
    report.parts.append(Table("Measured and aimed at", ["measure", "here", "goal"], rows))
    report.figures = figures
    return report
