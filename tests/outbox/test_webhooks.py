"""Webhooks against a receiver that answers 500, hangs, redirects, resets, is gone, is late, and so on."""

import asyncio
import json

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.outbox import endpoints, outbox
from app.outbox.deliveries import HOLD_BACK
from app.outbox.endpoints import TEST, Endpoint
from app.outbox.errors import BadEndpoint, NotReplayable
from app.outbox.outbox import Delivery, Status
from app.outbox.webhooks import GONE, deliveries_of
from app.worker import utc_now
from tests.conftest import ALICE
from tests.contract.houses import hand_off, opened
from tests.outbox.conftest import Furnish, Room
from tests.outbox.receivers import Receiver, receiving


async def send(room: Room, endpoint: Endpoint, count: int = 1) -> list[Delivery]:
    new = [d for _ in range(count) for d in deliveries_of(TEST, {}, None, room.clock(), [endpoint])]
    async with room.db.unit_of_work() as work:
        await outbox.add(work.conn, new)
    return new


async def told(room: Room, receiver: Receiver) -> Delivery:
    """One delivery, attempted once."""
    endpoint, _ = await room.endpoint(receiver.url)
    await send(room, endpoint)
    await room.step()
    return await room.only()


async def test_a_receiver_can_verify_what_came(room: Room) -> None:
    room.clock.now = utc_now()  # the verifier has a clock of its own
    async with receiving() as receiver:
        _, secret = await room.endpoint(receiver.url, with_text=True)
        await room.insert(hand_off(opened(room.clock(), text="Grüße 😀"), room.clock()))
        await room.step()
        (request,) = [r for r in receiver.came if b"handoff" in r.body]
        payload = Webhook(secret).verify(request.body, request.headers)
        assert payload["data"]["text"] == "Grüße 😀"
        assert request.line == "POST /hook HTTP/1.1"
        assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
        assert request.headers["content-type"] == "application/json"
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(request.body + b" ", request.headers)
    assert {d.status for d in await room.all()} == {Status.SENT}


async def test_500_is_tried_again_with_the_same_id_and_a_fresh_signature(room: Room) -> None:
    async with receiving("500", "503", body=b"we are\0 sorry" + b"x" * 5000) as receiver:
        one = await told(room, receiver)
        assert (one.status, one.attempts) == (Status.PENDING, 1)
        assert one.last_error
        assert one.last_error.startswith("The receiver answered 500: we are  sorryxxx")
        assert len(one.last_error) < 300
        assert 3.75 <= await room.due_again() <= 6.25
        await room.step()
        assert 15 <= await room.due_again() <= 25
        await room.step()
        assert receiver.ids == [one.id] * 3
        assert len({r.headers["webhook-timestamp"] for r in receiver.came}) == 3
        assert len({r.headers["webhook-signature"] for r in receiver.came}) == 3
        assert len({r.body for r in receiver.came}) == 1
    assert (await room.only()).status is Status.SENT


async def test_a_receiver_that_asks_to_wait_is_given_time(room: Room) -> None:
    async with receiving("429", headers="Retry-After: 120\r\n") as receiver:
        await told(room, receiver)
    assert await room.due_again() == 120


@pytest.mark.parametrize("behaviour", ["hang", "reset", "garbage"])
async def test_a_receiver_that_does_not_answer_is_tried_again(room: Room, behaviour: str) -> None:
    async with receiving(behaviour) as receiver:
        one = await told(room, receiver)
        assert one.status is Status.PENDING
        assert one.last_error
        assert "No answer" in one.last_error
        await room.due_again()
        await room.step()
        assert receiver.ids == [one.id] * 2
    assert (await room.only()).status is Status.SENT


async def test_nobody_listening_is_tried_again(room: Room) -> None:
    async with receiving() as receiver:
        url = receiver.url
    endpoint, _ = await room.endpoint(url)
    await send(room, endpoint)
    await room.step()
    one = await room.only()
    assert one.status is Status.PENDING
    assert one.last_error
    assert "ConnectError" in one.last_error


@pytest.mark.parametrize("behaviour", ["late", "drip"])
async def test_a_200_that_is_late_or_whose_body_dribbles_is_a_200(room: Room, behaviour: str) -> None:
    async with receiving(behaviour) as receiver:
        assert (await told(room, receiver)).status is Status.SENT


async def test_a_redirect_is_not_followed(room: Room) -> None:
    async with receiving() as elsewhere, receiving("307", headers=f"Location: {elsewhere.url}\r\n") as receiver:
        one = await told(room, receiver)
        assert one.status is Status.PENDING
        assert one.last_error == "The receiver answered 307, a redirect. Give its final address."
        assert elsewhere.came == []


async def test_410_disables_the_endpoint_and_says_so(room: Room) -> None:
    async with receiving("410") as receiver:
        one = await told(room, receiver)
        assert (one.status, one.last_error) == (Status.DEAD, GONE)
        async with room.db.read() as conn:
            (endpoint,) = await endpoints.everyone(conn)
        assert (endpoint.disabled_at, endpoint.disabled_reason) == (room.clock(), GONE)
        with pytest.raises(NotReplayable):
            async with room.db.unit_of_work() as work:
                await outbox.replay(work.conn, one.id, room.clock())
        await room.insert(hand_off(opened()))
        room.clock.step(days=1)
        await room.step()
        assert len(receiver.came) == 1
        async with room.db.unit_of_work() as work:
            await endpoints.enable(work.conn, endpoint.id)
            await outbox.replay(work.conn, one.id, room.clock())
        await room.step()
        assert receiver.ids == [one.id] * 2
    assert (await room.only()).status is Status.SENT


async def test_what_was_on_its_way_to_an_endpoint_that_is_now_disabled_is_dead(room: Room) -> None:
    async with receiving("500") as receiver:
        await told(room, receiver)
        async with room.db.unit_of_work() as work:
            (endpoint,) = await endpoints.everyone(work.conn)
            await endpoints.disable(work.conn, endpoint.id, "no", room.clock())
        await room.due_again()
        await room.step()
        assert len(receiver.came) == 1
    assert (await room.only()).last_error == "The endpoint is disabled."


async def test_deleting_an_endpoint_takes_its_deliveries_with_it(room: Room) -> None:
    async with receiving("500") as receiver:
        await told(room, receiver)
        async with room.db.unit_of_work() as work:
            (endpoint,) = await endpoints.everyone(work.conn)
            await endpoints.delete(work.conn, endpoint.id)
    assert await room.all() == []


async def test_one_endpoint_that_hangs_does_not_hold_up_another(url: str, furnish: Furnish) -> None:
    room: Room = await furnish(url, timeout=0.5)
    async with receiving(then="hang") as slow, receiving() as quick:
        dead, _ = await room.endpoint(slow.url)
        await send(room, dead, 30)
        room.clock.step(seconds=1)
        live, _ = await room.endpoint(quick.url)
        await send(room, live)
        await room.step()
        assert len(quick.came) == 1
        assert len(slow.came) <= 8  # as many as were in flight before the first said nothing; not thirty
    async with room.db.read() as conn:
        held = [d.due_at for d in await outbox.latest(conn, endpoint_id=dead.id) if d.attempts == 0]
    assert held
    assert {at - room.clock() for at in held if at} == {HOLD_BACK}


async def test_no_connection_is_kept(room: Room) -> None:
    async with receiving() as receiver:
        endpoint, _ = await room.endpoint(receiver.url)
        await send(room, endpoint, 3)
        await room.step()
        assert receiver.connections == 3


async def test_there_is_an_end_to_how_many_endpoints(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MOST", 1)
    await room.endpoint("https://a.example/")
    with pytest.raises(BadEndpoint, match="Delete one first"):
        await room.endpoint("https://b.example/")


async def test_the_loop_delivers_by_itself_and_stops_when_told(room: Room) -> None:
    async with receiving("500") as receiver, room.deliveries.run():
        await room.endpoint(receiver.url, "taken")
        one = hand_off(opened())
        one.take(ALICE.id, ALICE.name, room.clock())
        async with asyncio.timeout(20):
            await room.insert(one)
            while not receiver.came:
                await asyncio.sleep(0.02)
            while len(receiver.came) < 2:  # the first failure may be noted after any one step
                room.clock.step(seconds=10)
                await asyncio.sleep(0.02)
    assert json.loads(receiver.came[1].body)["data"]["agent_id"] == ALICE.id


async def test_an_empty_outbox_never_takes_the_writers_place(room: Room) -> None:
    async with room.db.unit_of_work(), asyncio.timeout(5):  # on SQLite nobody else may write now
        assert await room.deliveries.start_due() is False
