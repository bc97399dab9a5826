"""What the owner's page of deliveries calls: endpoints of webhooks, and what became of what left the house."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.outbox import endpoints, outbox
from app.outbox.endpoints import KINDS, TEST, Endpoint
from app.outbox.errors import NotReplayable
from app.outbox.outbox import Delivery, Status
from app.outbox.webhooks import deliveries_of
from app.web.deps import HouseDep, Owner
from app.web.schemas import Printable

router = APIRouter(prefix="/api", tags=["owner"])

BY_OWNER = "Disabled by the owner."


def _known(kinds: list[str]) -> list[str]:
    if unknown := sorted(set(kinds) - set(KINDS)):
        raise ValueError(f"unknown: {', '.join(unknown)}; known are {', '.join(KINDS)}")
    return kinds


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AddEndpoint(_In):
    """Where to send what; ``with_text`` lets messages' words go with it."""

    url: Annotated[str, Printable, Field(min_length=1, max_length=2000)]
    kinds: Annotated[list[str], Field(min_length=1, max_length=len(KINDS)), AfterValidator(_known)] = list(KINDS)
    with_text: bool = False


class SetEndpointStatus(_In):
    """Whether it is told what happens."""

    status: Literal["enabled", "disabled"]


class EndpointOut(BaseModel):
    """An endpoint, without its secret."""

    id: str
    url: str
    kinds: list[str]
    with_text: bool
    created_at: datetime
    disabled_at: datetime | None
    disabled_reason: str | None

    @classmethod
    def of(cls, endpoint: Endpoint) -> "EndpointOut":
        """For the wire."""
        return cls(**vars(endpoint))


class NewEndpoint(BaseModel):
    """An endpoint and its secret, which is shown this once."""

    endpoint: EndpointOut
    secret: str


class DeliveryOut(BaseModel):
    """One delivery: what, where to, and how it went. Never its payload."""

    id: str
    channel: str
    kind: str
    endpoint_id: str | None
    conversation_id: str | None
    status: str
    attempts: int
    created_at: datetime
    due_at: datetime | None
    finished_at: datetime | None
    last_error: str | None

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryOut":
        """For the wire."""
        return cls(**{name: getattr(delivery, name) for name in cls.model_fields})


class DeliveriesOut(BaseModel):
    """The page: how each way out is set, the endpoints, counts by status, and the newest deliveries."""

    mail: bool
    notices: int
    endpoints: list[EndpointOut]
    counts: dict[str, int]
    deliveries: list[DeliveryOut]


@router.get("/deliveries")
async def list_deliveries(
    me: Owner,
    house: HouseDep,
    status: Status | None = None,
    endpoint: Annotated[str | None, Query(max_length=32)] = None,
) -> DeliveriesOut:
    """What left the house or is to leave it, the newest first, at most 100."""
    async with house.db.read() as conn:
        found = await outbox.latest(conn, status=status, endpoint_id=endpoint)
        counts = await outbox.counts(conn)
        known = await endpoints.everyone(conn)
    reach = house.outbox.reach
    return DeliveriesOut(
        mail=reach.mail is not None, notices=len(reach.notify), endpoints=[EndpointOut.of(e) for e in known],
        counts={name.value: count for name, count in counts.items()}, deliveries=[DeliveryOut.of(d) for d in found],
    )  # fmt: skip


@router.post("/deliveries/{delivery_id}/replays", status_code=201)
async def replay(delivery_id: str, me: Owner, house: HouseDep) -> DeliveryOut:
    """Deliver again what was sent or given up, with the same id."""
    async with house.db.unit_of_work() as work:
        delivery = await outbox.replay(work.conn, delivery_id, house.clock())
    house.outbox.bell.set()
    return DeliveryOut.of(delivery)


@router.post("/endpoints", status_code=201)
async def add_endpoint(body: AddEndpoint, me: Owner, house: HouseDep) -> NewEndpoint:
    """A new endpoint. Its secret is in this answer and in no other."""
    private = house.settings.webhook_allow_private
    async with house.db.unit_of_work() as work:
        endpoint, secret = await endpoints.add(
            work.conn, body.url, body.kinds, body.with_text, house.clock(), allow_private=private
        )
    return NewEndpoint(endpoint=EndpointOut.of(endpoint), secret=secret)


@router.put("/endpoints/{endpoint_id}/status")
async def set_endpoint_status(endpoint_id: str, body: SetEndpointStatus, me: Owner, house: HouseDep) -> EndpointOut:
    """Enable or disable an endpoint."""
    async with house.db.unit_of_work() as work:
        if body.status == "enabled":
            await endpoints.enable(work.conn, endpoint_id)
        else:
            await endpoints.disable(work.conn, endpoint_id, BY_OWNER, house.clock())
        return EndpointOut.of(await endpoints.load(work.conn, endpoint_id))


@router.delete("/endpoints/{endpoint_id}", status_code=204)
async def delete_endpoint(endpoint_id: str, me: Owner, house: HouseDep) -> None:
    """Forget an endpoint and its deliveries."""
    async with house.db.unit_of_work() as work:
        await endpoints.delete(work.conn, endpoint_id)


@router.post("/endpoints/{endpoint_id}/tests", status_code=201)
async def send_test(endpoint_id: str, me: Owner, house: HouseDep) -> DeliveryOut:
    """Send a test, as any other delivery."""
    async with house.db.unit_of_work() as work:
        endpoint = await endpoints.load(work.conn, endpoint_id)
        if endpoint.disabled_at:
            raise NotReplayable("The endpoint is disabled. Enable it first.")
        (delivery,) = deliveries_of(TEST, {}, None, house.clock(), [endpoint])
        await outbox.add(work.conn, [delivery])
    house.outbox.bell.set()
    return DeliveryOut.of(delivery)
