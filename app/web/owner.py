"""What the owner's pages call: escalations, verdicts, colleagues."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from app import accounts
from app.accounts import Role
from app.web.agent import account_out
from app.web.deps import HouseDep, Owner
from app.web.schemas import EscalationsOut, GiveVerdict, Invitation, Invite, Seq
from conversations import review
from conversations.review import Filters, Outcome, Verdict

router = APIRouter(prefix="/api", tags=["owner"])


@router.get("/escalations")
async def list_escalations(
    me: Owner,
    house: HouseDep,
    reason: Annotated[str | None, Query(max_length=32)] = None,
    state: Annotated[str | None, Query(max_length=32)] = None,
    agent: Annotated[str | None, Query(max_length=32)] = None,
    outcome: Outcome | None = None,
    verdict: Literal["right", "too_early", "too_late", "not_needed", "none"] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> EscalationsOut:
    """Every handoff that fits, the newest first, at most 200."""
    filters = Filters(reason, state, agent, outcome, verdict, _aware(since), _aware(until))
    async with house.db.scan() as conn:
        found = await review.escalations(conn, filters)
        staff = await accounts.everyone(conn)
    return EscalationsOut(escalations=found, agents=[account_out(a) for a in staff])


@router.put("/escalations/{conversation_id}/{seq}/verdict", status_code=204)
async def give_verdict(conversation_id: str, seq: Seq, body: GiveVerdict, me: Owner, house: HouseDep) -> None:
    """Say whether a handoff was right; a later verdict replaces an earlier one."""
    async with house.db.unit_of_work() as work:
        await review.give_verdict(
            work.conn, conversation_id, seq, Verdict(body.verdict), body.note, me.id, house.clock()
        )


@router.post("/invitations", status_code=201)
async def invite(body: Invite, me: Owner, house: HouseDep) -> Invitation:
    """A one-time link for a new colleague, good for three days."""
    async with house.db.unit_of_work() as work:
        token = await accounts.invite(work.conn, Role(body.role), house.clock())
    return Invitation(url=f"{house.settings.base_url}/invitation/{token}")


def _aware(at: datetime | None) -> datetime | None:
    """A time without a zone is taken as the server's local time."""
    return at.astimezone() if at and at.tzinfo is None else at
