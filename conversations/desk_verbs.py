"""What happens to a conversation at the desk: offered, declined, transferred, returned; and how heavy it is.

Heaviness is read from the customer's messages alone, never from an agent's words. A *stint* is one agent's part in
a conversation, from take to its end; its ``heavy_minutes`` are the customer's intensity summed over its minutes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from conversations.errors import NotAssignee, NotOffered
from conversations.events import Kind
from conversations.lifecycle import Status, Verb, next_status

DECAY = 0.6
"""Weight of the intensity so far against the latest message's: a mood lingers for a few messages."""
FLAGS = {"abusive": "abuse", "safety": "safety"}
"""The reader's flags that an agent should see before taking, and what the desk calls them."""


def intensity_of(reading: Mapping[str, Any]) -> float:
    """How hard one customer message is on whoever answers, 0..1: its frustration; 1 for abuse or danger."""
    if any(flag in FLAGS for flag in reading.get("flagged", ())):
        return 1.0
    return float(reading.get("states", {}).get("frustrated", 0.0))


def level_after(level: float, intensity: float) -> float:
    """The conversation's intensity after one more message: it rises at once and falls slowly."""
    return max(intensity, DECAY * level + (1 - DECAY) * intensity)


class DeskVerbs:
    """The part of Conversation that the desk uses; its fields are Conversation's."""

    if TYPE_CHECKING:
        status: Status
        assignee_id: str | None
        waiting_since: datetime | None
        queue_rank: float | None
        offered_to: str | None
        offer_expires_at: datetime | None
        transfer: bool
        promised_until: datetime | None
        returned_reason: str | None
        skill: str | None
        passed: dict[str, str]
        flags: list[str]
        taken_at: datetime | None
        intensity: float
        weighed_at: datetime | None
        heavy_minutes: float
        last_agent_id: str | None
        last_agent_at: datetime | None

        def _happened(self, kind: Kind, actor: str, at: datetime, /, **payload: Any) -> None: ...

    # --- offers

    @property
    def may_be_offered(self) -> bool:
        """Whether it waits and nobody is asked to take it."""
        return self.status is Status.WAITING and self.offered_to is None

    def offer_to(self, agent_id: str, agent_name: str, at: datetime, expires_at: datetime) -> None:
        """The desk offers it to an agent until ``expires_at``; anyone may still take it."""
        if not self.may_be_offered:
            raise NotOffered()
        self._offer(agent_id, agent_name, at, expires_at)

    def decline(self, agent_id: str, agent_name: str, at: datetime) -> None:
        """The agent would rather not. The offer moves on, and they are not asked again for this wait."""
        if self.offered_to != agent_id:
            raise NotOffered()
        self._offer_over(agent_name, agent_id, at, "declined")

    def expire_offer(self, agent_name: str, at: datetime) -> None:
        """Nobody answered in time. The offer moves on; the agent may be asked again after the others."""
        if self.offered_to is None or self.offer_expires_at is None or self.offer_expires_at > at:
            raise NotOffered()
        self._offer_over(agent_name, "system", at, "expired")

    def _offer(self, agent_id: str, agent_name: str, at: datetime, expires_at: datetime) -> None:
        self.offered_to, self.offer_expires_at = agent_id, expires_at
        self._happened(Kind.DESK_OFFERED, "system", at, agent_id=agent_id, agent_name=agent_name,
                       expires_at=expires_at.isoformat())  # fmt: skip

    def _offer_over(self, agent_name: str, actor: str, at: datetime, why: str) -> None:
        agent_id, was_transfer = self.offered_to or "", self.transfer
        self.passed = {**self.passed, agent_id: why}
        self._withdraw_offer()
        self._happened(Kind.DESK_OFFER_DECLINED, actor, at, agent_id=agent_id, agent_name=agent_name, why=why)
        if was_transfer:
            self.status = next_status(self.status, Verb.RETURN_TO_QUEUE)
            self.returned_reason = "transfer_not_taken"
            self._happened(Kind.RETURNED_TO_QUEUE, "system", at, agent_id=agent_id, agent_name=agent_name,
                           why="transfer_not_taken", stint=None)  # fmt: skip

    def _withdraw_offer(self) -> None:
        self.offered_to, self.offer_expires_at, self.transfer = None, None, False

    # --- leaving an agent without leaving the desk

    def transfer_to_agent(self, agent_id: str, agent_name: str, to_id: str, to_name: str, note_id: str | None,
                          at: datetime, *, queue_rank: float, expires_at: datetime) -> None:  # fmt: skip
        """The assignee hands it to a colleague, who may accept until ``expires_at``; then it is for anyone."""
        self._transfer(agent_id, agent_name, at, queue_rank, to_agent_id=to_id, to_agent_name=to_name, to_skill=None,
                       note_id=note_id)  # fmt: skip
        self.transfer = True
        self._offer(to_id, to_name, at, expires_at)

    def transfer_to_skill(self, agent_id: str, agent_name: str, skill: str, note_id: str | None, at: datetime, *,
                          queue_rank: float) -> None:  # fmt: skip
        """The assignee puts it into the queue for whoever has ``skill``."""
        self._transfer(agent_id, agent_name, at, queue_rank, to_agent_id=None, to_agent_name=None, to_skill=skill,
                       note_id=note_id)  # fmt: skip
        self.skill = skill

    def _transfer(self, agent_id: str, agent_name: str, at: datetime, queue_rank: float, **whither: Any) -> None:
        status = next_status(self.status, Verb.TRANSFER)
        self._check_assignee(agent_id)
        stint = self._end_stint(at)
        self._queue_again(status, at, queue_rank)
        self.passed = {agent_id: "transferred"}
        self._happened(Kind.TRANSFERRED, agent_id, at, agent_id=agent_id, agent_name=agent_name, stint=stint, **whither)

    def agent_vanished(self, agent_name: str, at: datetime, *, queue_rank: float) -> None:
        """The assignee's console has not been heard of; the conversation goes back into the queue."""
        status = next_status(self.status, Verb.RETURN_TO_QUEUE)
        if self.status is not Status.WITH_AGENT:
            raise NotAssignee()
        agent_id = self.assignee_id
        stint = self._end_stint(at)
        self.last_agent_id, self.last_agent_at = agent_id, at
        self._queue_again(status, at, queue_rank)
        self.returned_reason = "vanished"
        self._happened(Kind.RETURNED_TO_QUEUE, "system", at, agent_id=agent_id, agent_name=agent_name,
                       why="vanished", stint=stint)  # fmt: skip

    def _queue_again(self, status: Status, at: datetime, queue_rank: float) -> None:
        self.status, self.assignee_id = status, None
        self.waiting_since, self.queue_rank = at, queue_rank
        self.passed, self.promised_until = {}, None

    # --- promises

    def promise(self, until: datetime | None) -> None:
        """The customer was told to wait no longer than ``until``; None: no time was said."""
        self.promised_until = until

    def promise_broken(self, at: datetime) -> bool:
        """Whether the wait is longer than was said, for the first time; the house must say so."""
        if self.status is not Status.WAITING or self.promised_until is None or self.promised_until > at:
            return False
        self.promised_until = None
        return True

    # --- how heavy it is

    def weigh(self, reading: Mapping[str, Any], at: datetime) -> None:
        """Take one more reading of the customer into account."""
        self._accrue(at)
        self.intensity = level_after(self.intensity, intensity_of(reading))
        named = [FLAGS[flag] for flag in reading.get("flagged", ()) if flag in FLAGS]
        self.flags = sorted({*self.flags, *named})

    def heavy_minutes_until(self, at: datetime) -> float:
        """The present stint's heavy minutes; 0 when nobody has it."""
        if self.taken_at is None or self.weighed_at is None:
            return 0.0
        return self.heavy_minutes + self.intensity * max(0.0, (at - self.weighed_at).total_seconds()) / 60

    def _accrue(self, at: datetime) -> None:
        self.heavy_minutes = self.heavy_minutes_until(at)
        self.weighed_at = at if self.taken_at is not None else None

    def _begin_stint(self, at: datetime) -> None:
        self.taken_at = self.weighed_at = at
        self.heavy_minutes = 0.0

    def _end_stint(self, at: datetime) -> dict[str, Any] | None:
        """What the agent carried; None when no agent had it."""
        if self.taken_at is None:
            return None
        seconds = max(0.0, (at - self.taken_at).total_seconds())
        heavy = self.heavy_minutes_until(at)
        self.taken_at = self.weighed_at = None
        self.heavy_minutes = 0.0
        return {"agent_id": self.assignee_id, "seconds": round(seconds, 1), "heavy_minutes": round(heavy, 3)}

    def _check_assignee(self, agent_id: str) -> None:
        if self.assignee_id != agent_id:
            raise NotAssignee()


def past_offers(passed: Mapping[str, str], eligible: Sequence[str]) -> dict[str, str]:
    """Who need not be asked now. Once all who could be asked have let it pass, those who merely did not answer
    are asked again; who declined is not."""
    if all(agent in passed for agent in eligible):
        return {agent: why for agent, why in passed.items() if why != "expired"}
    return dict(passed)
