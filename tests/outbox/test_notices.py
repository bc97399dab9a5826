"""Notices that somebody waits, through Apprise to a real receiver."""

import json
import sys
from datetime import timedelta

import pytest

from app.outbox.notices import MISSING, AppriseMissing, is_understood, targets_in
from app.outbox.outbox import Status
from tests.conftest import ALICE, CORA
from tests.contract.houses import hand_off, opened
from tests.outbox.conftest import BASE_URL, Furnish, Room
from tests.outbox.receivers import Receiver, receiving

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
AFTER = timedelta(seconds=60)


async def watched(furnish: Furnish, url: str, *receivers: Receiver) -> Room:
    targets = tuple(receiver.url.replace("http", "json") for receiver in receivers)
    room: Room = await furnish(url, notify=targets, notify_after=AFTER, timeout=5)
    return room


async def test_a_customer_nobody_took_is_told_of_with_a_link_and_no_words(url: str, furnish: Furnish) -> None:
    async with receiving() as receiver:
        room = await watched(furnish, url, receiver)
        one = await room.insert(hand_off(opened()))
        room.clock.step(seconds=59)
        await room.step()
        assert receiver.came == []
        room.clock.step(seconds=1)
        await room.step()
        (request,) = receiver.came
    said = json.loads(request.body)
    assert said["title"] == "A customer of Hazel & Finch is waiting"
    assert said["message"] == f"Waiting for 1 minute, reason: asked. Take the chat: {BASE_URL}/console/?chat={one.id}"
    assert CORA.name not in str(said)
    assert (await room.only()).status is Status.SENT


async def test_whoever_was_taken_in_time_is_not_told_of(url: str, furnish: Furnish) -> None:
    async with receiving() as receiver:
        room = await watched(furnish, url, receiver)
        one = await room.insert(hand_off(opened()))
        one.take(ALICE.id, ALICE.name, room.clock())
        await room.save(one)
        room.clock.step(minutes=1)
        await room.step()
        assert receiver.came == []
    assert (await room.only()).status is Status.NOT_NEEDED


async def test_whoever_was_put_back_is_told_of_after_the_new_wait_and_once(url: str, furnish: Furnish) -> None:
    async with receiving() as receiver:
        room = await watched(furnish, url, receiver)
        one = await room.insert(hand_off(opened()))
        room.clock.step(seconds=30)
        one.take(ALICE.id, ALICE.name, room.clock())
        one.release(ALICE.id, ALICE.name, room.clock(), queue_rank=0)
        await room.save(one)
        room.clock.step(seconds=30)
        await room.step()
        assert receiver.came == []
        room.clock.step(seconds=30)
        await room.step()
        assert len(receiver.came) == 1


async def test_one_target_that_fails_is_tried_again_and_the_other_is_not_told_twice(url: str, furnish: Furnish) -> None:
    async with receiving("500") as bad, receiving() as good:
        room = await watched(furnish, url, bad, good)
        await room.insert(hand_off(opened()))
        room.clock.step(minutes=1)
        await room.step()
        assert sorted(d.status for d in await room.all()) == [Status.PENDING, Status.SENT]
        room.clock.step(seconds=10)
        await room.step()
        assert (len(bad.came), len(good.came)) == (2, 1)
    assert {d.status for d in await room.all()} == {Status.SENT}


async def test_without_the_package_it_is_tried_again_and_says_what_to_install(
    url: str, furnish: Furnish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    async with receiving() as receiver:
        room = await watched(furnish, url, receiver)
        await room.insert(hand_off(opened()))
        room.clock.step(minutes=1)
        await room.step()
        one = await room.only()
        assert (one.status, one.last_error) == (Status.PENDING, MISSING)
    with pytest.raises(AppriseMissing, match=r"warmline\[notify\]"):
        is_understood("json://127.0.0.1")


def test_targets_are_separated_by_commas_and_may_hold_some() -> None:
    assert targets_in("") == ()
    assert targets_in(" json://a/ , mailto://u:p@h?to=x,y@z,tgram://t/1 ,") == (
        "json://a/", "mailto://u:p@h?to=x,y@z", "tgram://t/1",
    )  # fmt: skip


def test_what_apprise_does_not_know_is_not_understood() -> None:
    assert is_understood("json://127.0.0.1")
    assert not is_understood("nonsense://x")
