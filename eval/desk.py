"""``python -m eval desk``: days at the desk with the service's own code, beside round robin on the same days."""

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from eval import desksim, plots, progress
from eval.data import Unusable
from eval.desksim import Customer, Day, Desk, Rule, arrivals, gini
from eval.report import Plot, Report, Table
from handoff.desk import URGENCY
from handoff.desk.load import MOST_IN_A_ROW

TEAMS = (2, 3, 5, 8, 12, 20)
TUNED_ON = range(100, 110)
"""Seeds that the policy's numbers were chosen on; reports refuse them."""
BANDS = (("danger", 1.0), ("high", 0.6), ("middle", 0.35), ("calm", 0.0))
"""Bands of urgency, each from its number up to the one before."""
GOALS = {"kept": 0.85, "gini_ratio": 0.5, "run": MOST_IN_A_ROW, "overtaken": 0}


@dataclass(frozen=True)
class Trial:
    """One day with one team, under the desk's rule and under round robin."""

    agents: int
    seed: int
    days: dict[Rule, Day]


def run(days: int, agents: Sequence[int], busy: float, seed: int, recorded: Path | None = None) -> Report:
    """Simulate ``days`` days for each team size, and report. Raises Unusable for tuning seeds or a bad file."""
    seeds = range(seed, seed + days)
    if set(seeds) & set(TUNED_ON):
        raise Unusable(f"Seeds {TUNED_ON.start} to {TUNED_ON.stop - 1} chose the policy; take others to judge it.")
    plan = [(n, s) for n in agents for s in seeds]
    trials = [_trial(n, s, busy, recorded) for n, s in progress.bar(plan, "Days at the desk")]
    report = Report("desk", "The desk: waits, promises, and a fair share of heavy chats", {
        "days": days, "seeds": f"{seeds.start}-{seeds.stop - 1}", "busy": busy,
        "arrivals": recorded.name if recorded else "drawn", "capacity": desksim.CAPACITY,
    })  # fmt: skip
    report.figures = _figures(trials)
    report.parts = [_goals(report.figures), _teams(trials), _waits(trials), _promises(trials), _shares(trials)]
    return report


def _trial(agents: int, seed: int, busy: float, recorded: Path | None) -> Trial:
    rng = np.random.default_rng([seed, agents])
    customers = read_arrivals(recorded, rng) if recorded else arrivals(agents, busy, rng)
    days = {rule: Desk(copy.deepcopy(customers), agents, rule, seed).play() for rule in Rule}
    return Trial(agents, seed, days)


def read_arrivals(path: Path, rng: np.random.Generator) -> list[Customer]:
    """Recorded customers, one JSON object a line: ``at`` (ISO time), and what is known of ``reason``, ``intensity``
    (0..1), ``talks`` and ``patience`` (seconds); the rest is drawn. Unusable names the line that cannot be read."""
    customers = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            given = json.loads(line)
            at = datetime.fromisoformat(given["at"])
            seconds = at.hour * 3600 + at.minute * 60 + at.second
            customer = desksim.customer(f"c{number:05d}", seconds, rng)
            customer.reason = given.get("reason", customer.reason)
            for name in ("intensity", "talks", "patience"):
                setattr(customer, name, float(given.get(name, getattr(customer, name))))
            if customer.reason not in URGENCY or not 0 <= customer.intensity <= 1:
                raise ValueError("an unknown reason, or an intensity outside 0..1")
        except (ValueError, KeyError, TypeError) as error:
            raise Unusable(f"{path}, line {number}: {error}") from error
        customers.append(customer)
    return sorted(customers, key=lambda c: c.at)


# --- what is counted


def kept(customers: Sequence[Customer]) -> list[bool]:
    """Whether each promise was kept; whoever left before it ran out neither kept nor broke it."""
    promised = [c for c in customers if c.told is not None]
    return [
        c.taken_at is not None and c.taken_at - c.at <= (c.told or 0)
        for c in promised
        if c.taken_at is not None or (c.left_at or 0) - c.at > (c.told or 0)
    ]


def waits(customers: Sequence[Customer], band: str | None = None) -> list[float]:
    """Minutes waited, by whoever came while the desk was open."""
    open_hours = [c for c in customers if c.at >= desksim.OPENS * 3600 and c.taken_at is not None]
    return [((c.taken_at or 0) - c.at) / 60 for c in open_hours if band in (None, band_of(c.urgency))]


def band_of(urgency: float) -> str:
    """The name of the band an urgency is in."""
    return next(name for name, least in BANDS if urgency >= least)


def _ginis(trials: Sequence[Trial], rule: Rule) -> list[float]:
    return [gini(list(t.days[rule].heavy_minutes.values())) for t in trials]


def _customers(trials: Sequence[Trial], rule: Rule = Rule.DESK) -> list[Customer]:
    return [c for t in trials for c in t.days[rule].customers]


def _figures(trials: Sequence[Trial]) -> dict[str, Any]:
    ours, theirs = (float(np.mean(_ginis(trials, rule))) for rule in (Rule.DESK, Rule.ROUND_ROBIN))
    days = [t.days[Rule.DESK] for t in trials]
    calm = waits(_customers(trials), "calm")
    return {
        "chats": sum(len(d.customers) for d in days), "kept": float(np.mean(kept(_customers(trials)) or [1])),
        "gini": ours, "gini_round_robin": theirs, "gini_ratio": ours / theirs if theirs else 0.0,
        "run": max(d.avoidable_run for d in days), "run_at_all": max(max(d.runs.values()) for d in days),
        "run_round_robin": max(max(t.days[Rule.ROUND_ROBIN].runs.values()) for t in trials),
        "overtaken": sum(d.overtaken for d in days), "longest_calm_wait": max(calm, default=0.0),
    }  # fmt: skip


# --- how it is shown


def _goals(figures: dict[str, Any]) -> Table:
    rows = [
        ["promised waits that were kept", figures["kept"], f">= {GOALS['kept']}", figures["kept"] >= GOALS["kept"]],
        ["Gini of heavy minutes, beside round robin's", figures["gini_ratio"], f"<= {GOALS['gini_ratio']}",
         figures["gini_ratio"] <= GOALS["gini_ratio"]],
        ["heavy chats in a row while another was free", figures["run"], f"<= {GOALS['run']}",
         figures["run"] <= GOALS["run"]],
        ["passed by who came a whole ageing later", figures["overtaken"], "0", figures["overtaken"] == 0],
    ]  # fmt: skip
    rows = [[*row[:3], "yes" if row[3] else "no"] for row in rows]
    return Table("Goals", ["what", "here", "goal", "reached"], rows)


def _teams(trials: Sequence[Trial]) -> Table:
    rows = []
    for n in sorted({t.agents for t in trials}):
        mine = [t for t in trials if t.agents == n]
        figures, waited = _figures(mine), waits(_customers(mine)) or [0.0]
        rows.append([
            n, figures["chats"], float(np.median(waited)), float(np.percentile(waited, 90)), figures["kept"],
            figures["gini"], figures["gini_round_robin"], figures["gini_ratio"], figures["run"],
            figures["run_at_all"], figures["run_round_robin"],
        ])  # fmt: skip
    headers = ["agents", "chats", "median wait", "90 %", "kept", "Gini", "round robin", "ratio", "row, another free",
               "longest row", "round robin's"]  # fmt: skip
    return Table("By size of the team", headers, rows, "Waits in minutes, of who came while the desk was open.")


def _waits(trials: Sequence[Trial]) -> Plot:
    rows, curves = [], {}
    for band, _ in BANDS:
        ours, theirs = (waits(_customers(trials, rule), band) or [0.0] for rule in (Rule.DESK, Rule.ROUND_ROBIN))
        rows.append([band, len(ours), *(float(np.percentile(ours, q)) for q in (50, 90, 100)),
                     float(np.percentile(theirs, 90))])  # fmt: skip
        curves[band] = (np.sort(ours), np.linspace(0, 1, len(ours)))
    headers = ["urgency", "chats", "median", "90 %", "longest", "round robin, 90 %"]
    table = Table("Waits by urgency", headers, rows, "Minutes.")
    svg = plots.steps(curves, "minutes waited", "share served", "waits")
    return Plot("Waits by urgency", svg, "Share of customers served within so many minutes, by urgency.", table)


def _promises(trials: Sequence[Trial]) -> Table:
    served = [c for c in _customers(trials) if c.told is not None and c.taken_at is not None]
    rows = []
    for label, low, high in (("up to 2", 0, 2), ("3 to 10", 2, 10), ("11 to 20", 10, 20), ("over 20", 20, 1e9)):
        those = [c for c in served if low < (c.told or 0) / 60 <= high]
        if those:
            ratio = [((c.taken_at or 0) - c.at) / (c.told or 1) for c in those]
            rows.append([label, len(those), float(np.mean(kept(those))), float(np.median(ratio))])
    return Table("Promises", ["minutes told", "chats", "kept", "median waited / told"], rows)


def _shares(trials: Sequence[Trial]) -> Plot:
    trial = max((t for t in trials if t.agents <= 8), key=lambda t: t.agents, default=trials[0])
    shares = {rule.value: sorted(trial.days[rule].heavy_minutes.values()) for rule in Rule}
    rows = [[i + 1, *(values[i] for values in shares.values())] for i in range(trial.agents)]
    table = Table("Heavy minutes by agent", ["agent, least first", *shares], rows)
    xs = np.arange(1, trial.agents + 1)
    svg = plots.steps(
        {k: (xs, np.array(v)) for k, v in shares.items()}, "agent, least first", "heavy minutes", "shares"
    )
    alt = f"Heavy minutes of each of {trial.agents} agents on one day, by rule: the flatter, the fairer."
    return Plot("A fair share of heavy chats", svg, alt, table)
