"""A day at the desk, event by event, with the code that serves real customers: order, assignment, load, waits.

Only people are invented here: when customers come, how heavy they are, how long they wait and talk, and how agents
answer offers. Everything that decides is imported from handoff.desk.
"""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

import numpy as np

from handoff.desk import AGEING, HEAVY, Agent, Pace, Stint, Waiting, assign, queue_rank, streak_of, urgency_of
from handoff.desk import wait_of as told_wait
from handoff.desk.load import MOST_IN_A_ROW, REMEMBERED, RESPITE, expected_load

DAY = datetime(2026, 3, 4, tzinfo=UTC)
OPENS, CLOSES = 9.0, 17.5
SHAPE = (0.5, 0.8, 1.0, 1.2, 1.15, 1.0, 0.95, 0.9, 0.6)
"""Arrivals by hour from opening on, beside the mean: a late morning peak."""
REASONS = {"asked": 0.34, "frustration": 0.2, "unhelped": 0.12, "confusion": 0.12, "repeat": 0.06, "unknown": 0.08,
           "stakes": 0.05, "abuse": 0.02, "safety": 0.01}  # fmt: skip
UPSET = {"frustration": (5, 2), "unhelped": (3, 3), "repeat": (3, 3), "stakes": (2, 4)}
"""Beta parameters of the customers' intensity by reason; others are mostly calm; abuse and danger are 1."""
CALM = (1.2, 6)
MEAN_MINUTES, SPREAD = 8.0, 0.8
HEAVY_TAKES = 1.4
"""How much longer heavy chats take."""
PATIENCE_MINUTES = 30.0
OFFER_SECONDS = 45.0
LOOKS_UP, MISSES, DECLINES_HEAVY = 8.0, 0.03, 0.03
"""Seconds until an agent answers an offer; share of offers missed; share of heavy ones declined."""
BREAK_MINUTES = 30.0
CAPACITY = 2
OVERNIGHT = 0.04
"""Share of customers who come while the desk is closed."""


class Rule(Enum):
    """Who is offered the next chat."""

    DESK = "the desk"
    ROUND_ROBIN = "round robin"


@dataclass
class Customer:
    """One who needs a person: when (seconds of the day), why, how heavy, and for how long."""

    id: str
    at: float
    reason: str
    intensity: float
    talks: float
    """Seconds an agent will need."""
    patience: float
    urgency: float = 0.0
    rank: float = 0.0
    told: float | None = None
    """Seconds they were told to wait at most; None when no time was said."""
    taken_at: float | None = None
    left_at: float | None = None
    agent: str | None = None
    passed: dict[str, str] = field(default_factory=dict)

    @property
    def is_heavy(self) -> bool:
        """As the desk counts it."""
        return self.intensity >= HEAVY


@dataclass
class Day:
    """What happened."""

    customers: list[Customer]
    heavy_minutes: dict[str, float]
    runs: dict[str, int]
    """Longest row of heavy chats by agent, whoever was free."""
    avoidable_run: int
    """Longest row that an agent was given while another was free for the chat."""
    overtaken: int
    """Times somebody who had waited longer than the ageing was passed by one who was in no danger."""


def arrivals(agents: int, busy: float, rng: np.random.Generator) -> list[Customer]:
    """A day's customers for a desk of ``agents``, of whose capacity they take ``busy`` on average over the day."""
    minutes = MEAN_MINUTES * (1 + 0.3 * (HEAVY_TAKES - 1))
    per_hour = agents * CAPACITY * busy * 60 / minutes
    times = [h * 3600 for h in rng.uniform(0, OPENS, rng.poisson(per_hour * 8 * OVERNIGHT))]
    for hour, share in enumerate(SHAPE):
        length = min(1.0, CLOSES - OPENS - hour)
        times += list((OPENS + hour + rng.uniform(0, length, rng.poisson(per_hour * share * length))) * 3600)
    return [customer(f"c{i:05d}", at, rng) for i, at in enumerate(sorted(times))]


def customer(name: str, at: float, rng: np.random.Generator) -> Customer:
    """One who comes at ``at``, drawn."""
    reason = str(rng.choice(list(REASONS), p=list(REASONS.values())))
    intensity = 1.0 if reason in ("abuse", "safety") else float(rng.beta(*UPSET.get(reason, CALM)))
    sigma = math.sqrt(math.log(1 + SPREAD**2))
    longer = HEAVY_TAKES if intensity >= HEAVY else 1.0
    talks = float(rng.lognormal(math.log(MEAN_MINUTES * longer) - sigma**2 / 2, sigma)) * 60
    patience = float(rng.exponential(PATIENCE_MINUTES * 60)) + 240
    return Customer(name, at, reason, intensity, talks, patience)


class Desk:
    """One day under one rule. The same customers may be played again under another: nothing of theirs is drawn here."""

    def __init__(self, customers: Sequence[Customer], agents: int, rule: Rule, seed: int) -> None:
        self._rule, self._rng = rule, np.random.default_rng(seed)
        self._names = [f"agent {i + 1:02d}" for i in range(agents)]
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._count = itertools.count()
        self._waiting: dict[str, Customer] = {}
        self._offered: dict[str, str] = {}
        self._held: dict[str, list[Customer]] = {name: [] for name in self._names}
        self._stints: dict[str, list[Stint]] = {name: [] for name in self._names}
        self._lengths: deque[float] = deque(maxlen=60)
        self._away: set[str] = set(self._names)
        self._turn = 0
        self._last_end: dict[str, float] = dict.fromkeys(self._names, 0.0)
        self._row: dict[str, int] = dict.fromkeys(self._names, 0)
        self.day = Day(list(customers), dict.fromkeys(self._names, 0.0), dict.fromkeys(self._names, 0), 0, 0)
        for customer in customers:
            self._plan(customer.at, lambda at, c=customer: self._comes(c, at))
        for name, start in zip(self._names, self._breaks(agents), strict=True):
            self._plan(OPENS * 3600, lambda at, n=name: self._away.discard(n))
            self._plan(start, lambda at, n=name: self._away.add(n))
            self._plan(start + BREAK_MINUTES * 60, lambda at, n=name: self._away.discard(n))

    def _breaks(self, agents: int) -> list[float]:
        """Lunch, one after another between 11:30 and 14:30."""
        return [(11.5 + 2.5 * i / agents) * 3600 for i in range(agents)]

    def play(self) -> Day:
        """Play it to the end: the desk closes when the last customer has been served or has left."""
        while self._events:
            at, _, act = heapq.heappop(self._events)
            act(at)
            self._offer(at)
        return self.day

    def _plan(self, at: float, act: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (at, next(self._count), act))

    # --- customers

    def _comes(self, customer: Customer, at: float) -> None:
        opens = _moment(OPENS * 3600) if at < OPENS * 3600 else None
        customer.urgency = urgency_of(customer.reason, customer.intensity)
        customer.rank = queue_rank(_moment(at), customer.urgency, opens)
        place = 1 + sum((c.rank, c.id) < (customer.rank, customer.id) for c in self._waiting.values())
        here = [name for name in self._names if name not in self._away]
        busy = sum(len(self._held[name]) for name in here)
        wait = told_wait(place, len(here), CAPACITY * len(here), busy, self._pace())
        customer.told = wait.minutes * 60 if wait.minutes else None
        self._waiting[customer.id] = customer
        leaves = at + customer.patience if opens is None else OPENS * 3600 + 3600 + customer.patience
        self._plan(leaves, lambda now: self._gives_up(customer, now))

    def _gives_up(self, customer: Customer, at: float) -> None:
        if self._waiting.pop(customer.id, None):
            self._offered.pop(customer.id, None)
            customer.left_at = at

    def _pace(self) -> Pace:
        if not self._lengths:
            return Pace()
        return Pace(len(self._lengths), float(np.mean(self._lengths)), float(np.std(self._lengths)))

    # --- agents

    def _offer(self, at: float) -> None:
        queue = sorted(self._waiting.values(), key=lambda c: (c.rank, c.id))
        if all(c.id in self._offered for c in queue):
            return
        here = [name for name in self._names if name not in self._away]
        if all(self._room(name) <= 0 for name in here):
            return
        agents = [self._agent(name, at) for name in here]
        chats = [
            Waiting(
                c.id, c.is_heavy, offered_to=self._offered.get(c.id), passed=c.passed,
                waited=math.inf if c.urgency >= 1 else at - c.at,
            )
            for c in queue
        ]  # fmt: skip
        offers = assign(chats, agents) if self._rule is Rule.DESK else self._in_turn(chats, agents)
        free = {agent.id: agent.room for agent in agents}
        for chat_id, name in offers:
            self._offered[chat_id] = name
            free[name] -= 1
        for chat_id, name in offers:
            customer = self._waiting[chat_id]
            rested = [a for a, room in free.items() if room > 0 and a not in customer.passed and self._is_rested(a, at)]
            self._asked(customer, name, at, others_free=bool(rested))

    def _agent(self, name: str, at: float) -> Agent:
        now, held = _moment(at), len(self._held[name])
        if self._rule is Rule.ROUND_ROBIN:
            return Agent(name, self._room(name), held)
        load = expected_load(self._carried(name, now), now)
        agent = Agent(name, CAPACITY - held, held, load, streak_of(self._stints[name], now))
        for chat_id, to in self._offered.items():
            if to == name:
                agent = agent.with_chat(self._waiting[chat_id].is_heavy)
        return agent

    def _room(self, name: str) -> int:
        return CAPACITY - len(self._held[name]) - sum(to == name for to in self._offered.values())

    def _carried(self, name: str, now: datetime) -> list[Stint]:
        """The stints as the database would give them: of those that go on, what they weigh so far."""
        return [
            replace(s, heavy_minutes=s.intensity * (now - s.begin).total_seconds() / 60) if s.end is None else s
            for s in self._stints[name]
        ]

    def _in_turn(self, chats: Sequence[Waiting], agents: Sequence[Agent]) -> list[tuple[str, str]]:
        """Round robin over who has room: what is compared with."""
        room = {agent.id: agent.room for agent in agents}
        offers = []
        for chat in chats:
            for step in range(len(self._names)):
                name = self._names[(self._turn + step) % len(self._names)]
                if chat.offered_to is None and room.get(name, 0) > 0 and name not in chat.passed:
                    offers.append((chat.id, name))
                    room[name] -= 1
                    self._turn = (self._turn + step + 1) % len(self._names)
                    break
        return offers

    def _row_of(self, name: str, at: float) -> int:
        """Heavy chats in a row, counted apart from the code that is judged."""
        idle = not self._held[name] and at - self._last_end[name] > RESPITE.total_seconds()
        return 0 if idle else self._row[name]

    def _is_rested(self, name: str, at: float) -> bool:
        """Whether they may have one more heavy chat, those they are asked to take included."""
        asked = sum(to == name and self._waiting[chat_id].is_heavy for chat_id, to in self._offered.items())
        return self._row_of(name, at) + asked < MOST_IN_A_ROW

    def _asked(self, customer: Customer, name: str, at: float, *, others_free: bool) -> None:
        roll = self._rng.random()
        if roll < MISSES:
            self._plan(at + OFFER_SECONDS, lambda now: self._passes(customer, name, "expired"))
        elif customer.is_heavy and roll < MISSES + DECLINES_HEAVY:
            self._plan(at + LOOKS_UP, lambda now: self._passes(customer, name, "declined"))
        else:
            self._plan(
                at + float(self._rng.exponential(LOOKS_UP)), lambda now: self._takes(customer, name, now, others_free)
            )

    def _passes(self, customer: Customer, name: str, why: str) -> None:
        if self._offered.get(customer.id) == name:
            del self._offered[customer.id]
            customer.passed = {**customer.passed, name: why}

    def _takes(self, customer: Customer, name: str, at: float, others_free: bool) -> None:
        if self._offered.get(customer.id) != name:
            return
        self._note(customer, name, at, others_free)
        del self._waiting[customer.id]
        customer.taken_at, customer.agent = at, name
        self._held[name].append(customer)
        self._stints[name].append(Stint(name, _moment(at), None, 0.0, customer.intensity))
        self._plan(at + customer.talks, lambda now: self._ends(customer, name, now))

    def _ends(self, customer: Customer, name: str, at: float) -> None:
        assert customer.taken_at is not None
        self._held[name].remove(customer)
        self._lengths.append(customer.talks)
        self._last_end[name] = at
        heavy = customer.intensity * customer.talks / 60
        self.day.heavy_minutes[name] += heavy
        begin = _moment(customer.taken_at)
        kept = [s for s in self._stints[name] if not (s.end is None and s.begin == begin)]
        kept.append(Stint(name, begin, _moment(at), heavy))
        self._stints[name] = [s for s in kept if s.end is None or s.end > _moment(at) - REMEMBERED]

    def _note(self, customer: Customer, name: str, at: float, others_free: bool) -> None:
        """Whether the rules were kept, judged apart from the code that keeps them."""
        del self._offered[customer.id]
        self._row[name] = self._row_of(name, at) + 1 if customer.is_heavy else 0
        self.day.runs[name] = max(self.day.runs[name], self._row[name])
        if others_free:
            self.day.avoidable_run = max(self.day.avoidable_run, self._row[name])
        late = customer.at - AGEING.total_seconds()
        waiting = (c for c in self._waiting.values() if c.id not in self._offered and c.at >= OPENS * 3600)
        if customer.urgency < 1 and any(c.at < late and not c.passed for c in waiting):
            self.day.overtaken += 1


def _moment(seconds: float) -> datetime:
    return DAY + timedelta(seconds=seconds)


def gini(values: Sequence[float]) -> float:
    """0 = all carry the same, towards 1 = one carries all."""
    ordered = np.sort(np.array(values, dtype=float))
    n, total = len(ordered), ordered.sum()
    if n == 0 or total == 0:
        return 0.0
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * total))
