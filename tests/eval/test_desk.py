"""The simulated desk: reproducible, paired, judged apart from the code it judges, and written as a report."""

import copy
import json

import numpy as np
import pytest

from eval import desk, desksim, report
from eval.data import Unusable
from eval.desksim import Desk, Rule, arrivals, gini
from handoff.desk import URGENCY
from tests.eval.test_reports import check_files


def day(agents=3, seed=1, rule=Rule.DESK, busy=0.8):
    customers = arrivals(agents, busy, np.random.default_rng([seed, agents]))
    return Desk(customers, agents, rule, seed).play()


def test_the_same_seed_gives_the_same_day_and_another_another():
    one, again, other = day(), day(), day(seed=2)
    assert [c.taken_at for c in one.customers] == [c.taken_at for c in again.customers]
    assert [c.at for c in one.customers] != [c.at for c in other.customers]


def test_both_rules_see_the_same_customers():
    ours, theirs = day(), day(rule=Rule.ROUND_ROBIN)
    assert [(c.at, c.intensity, c.talks) for c in ours.customers] == [
        (c.at, c.intensity, c.talks) for c in theirs.customers
    ]


@pytest.mark.parametrize("rule", Rule)
def test_every_customer_is_served_once_or_leaves(rule):
    for customer in day(rule=rule).customers:
        assert (customer.taken_at is None) != (customer.left_at is None)
        assert (customer.agent is None) == (customer.taken_at is None)


def test_nobody_has_more_chats_than_their_capacity():
    served = [c for c in day(busy=1.0).customers if c.agent]
    moments = sorted({c.taken_at for c in served})
    for agent in {c.agent for c in served}:
        mine = [c for c in served if c.agent == agent]
        assert max(sum(c.taken_at <= at < c.taken_at + c.talks for c in mine) for at in moments) <= desksim.CAPACITY


def test_who_waited_overnight_is_served_before_who_comes_in_the_morning_with_like_urgency():
    served = sorted((c for c in day(agents=2, busy=1.1).customers if c.taken_at), key=lambda c: c.taken_at)
    opens = desksim.OPENS * 3600
    overnight = [c for c in served if c.at < opens]
    for late in (c for c in served if opens < c.at and c.taken_at < opens + 1800):
        alike = [c for c in overnight if c.urgency >= late.urgency and not c.is_heavy and not c.passed]
        assert all(c.taken_at < late.taken_at + desksim.OFFER_SECONDS for c in alike)


def test_the_desk_shares_heavy_minutes_better_than_round_robin_and_keeps_its_promises():
    made = desk.run(days=2, agents=(3, 6), busy=0.8, seed=7)
    assert made.figures["gini"] < made.figures["gini_round_robin"]
    assert made.figures["kept"] >= desk.GOALS["kept"]
    assert made.figures["overtaken"] == 0


def test_seeds_that_chose_the_policy_are_refused():
    with pytest.raises(Unusable, match="chose the policy"):
        desk.run(days=1, agents=(2,), busy=0.8, seed=desk.TUNED_ON.start)


@pytest.mark.parametrize(("values", "expected"), [([1, 1, 1], 0.0), ([0, 0, 3], 2 / 3), ([], 0.0), ([0, 0], 0.0)])
def test_gini(values, expected):
    assert gini(values) == pytest.approx(expected)


def test_recorded_arrivals_are_played_and_what_they_lack_is_drawn(tmp_path):
    lines = [
        {"at": "2026-03-04T09:30:00", "reason": "frustration", "intensity": 0.8, "talks": 300},
        {"at": "2026-03-04T09:10:00", "reason": "asked"},
    ]
    path = tmp_path / "arrivals.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    first, second = desk.read_arrivals(path, np.random.default_rng(0))
    assert (first.at, first.reason) == (9 * 3600 + 600, "asked")
    assert (second.intensity, second.talks) == (0.8, 300)
    assert first.reason in URGENCY


@pytest.mark.parametrize("line", ["{", "{}", '{"at": "noon"}', '{"at": "2026-03-04T09:30:00", "reason": "boredom"}'])
def test_a_recording_that_cannot_be_read_names_the_line(line, tmp_path):
    path = tmp_path / "arrivals.jsonl"
    path.write_text('{"at": "2026-03-04T09:30:00"}\n' + line)
    with pytest.raises(Unusable, match="line 2"):
        desk.read_arrivals(path, np.random.default_rng(0))


def test_the_report_is_written_in_three_forms(tmp_path):
    kept = check_files(report.write(desk.run(days=1, agents=(2,), busy=0.7, seed=3), tmp_path))
    assert kept["facts"]["arrivals"] == "drawn"
    assert {"kept", "gini", "gini_round_robin", "run", "run_at_all", "overtaken"} <= set(kept["figures"])


def test_a_promise_is_judged_only_by_who_saw_it_end():
    served = copy.copy(arrivals(2, 0.5, np.random.default_rng(0))[:3])
    for customer, told, taken, left in zip(served, (60, 60, 60), (30, 90, None), (None, None, 20), strict=True):
        customer.told = told
        customer.taken_at = None if taken is None else customer.at + taken
        customer.left_at = None if left is None else customer.at + left
    assert desk.kept(served) == [True, False]
