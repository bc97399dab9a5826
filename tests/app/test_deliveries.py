"""The owner's endpoints and deliveries over HTTP, with the loop at work and a real receiver."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from app.outbox import unseen
from app.outbox.endpoints import KINDS
from app.outbox.webhooks import GONE
from tests.app.conftest import Desk, staffed
from tests.conftest import ALICE, CORA, open_database
from tests.outbox.receivers import Mailbox, post_office, receiving
from tests.serving import (
    Listener,
    browser,
    eventually,
    hire,
    inside,
    open_chat,
    serving,
    session,
    settings_for,
    words,
)


@pytest.fixture
async def told(tmp_path: Path, migrated_url: str) -> AsyncIterator[Desk]:
    """A desk whose webhooks may go to this machine, with everything at work; on each kind of database."""
    async with inside(settings_for(tmp_path, migrated_url, webhook_allow_private=True)) as room:
        yield await staffed(room)


async def add(desk: Desk, url: str, **more: Any) -> dict[str, Any]:
    answer = await desk.http.post("/api/endpoints", json={"url": url, **more}, headers=desk.olga)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def page(desk: Desk, query: str = "") -> dict[str, Any]:
    answer = await desk.http.get(f"/api/deliveries{query}", headers=desk.olga)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def delivered(desk: Desk, status: str, count: int = 1) -> list[dict[str, Any]]:
    async def there() -> list[dict[str, Any]]:
        found = (await page(desk, f"?status={status}"))["deliveries"]
        return found if len(found) >= count else []

    found: list[dict[str, Any]] = await eventually(there, f"{count} {status}")
    return found


async def test_a_handoff_reaches_the_endpoint_and_the_owner_sees_that_it_did(told: Desk) -> None:
    async with receiving() as receiver:
        made = await add(told, receiver.url, kinds=["handoff_requested", "taken"])
        await told.http.put(f"{told.cora.path}/handoff", headers=told.cora.headers)
        await told.http.put(f"{told.conversation()}/assignee", headers=told.alice)
        sent = await delivered(told, "sent", 2)
        assert {one["kind"] for one in sent} == {"handoff_requested", "taken"}
        assert {(one["attempts"], one["endpoint_id"]) for one in sent} == {(1, made["endpoint"]["id"])}
        assert set(receiver.ids) == {one["id"] for one in sent}
        for request in receiver.came:
            Webhook(made["secret"]).verify(request.body, request.headers)
    assert (await page(told))["counts"] == {"pending": 0, "sent": 2, "not_needed": 0, "dead": 0}


async def test_the_secret_is_shown_once(told: Desk) -> None:
    made = await add(told, "https://hooks.example/")
    assert made["secret"].startswith("whsec_")
    assert made["endpoint"]["kinds"] == list(KINDS)
    assert made["endpoint"]["with_text"] is False
    shown = await told.http.get("/api/deliveries", headers=told.olga)
    assert made["secret"] not in shown.text
    assert shown.json()["endpoints"] == [made["endpoint"]]


async def test_a_test_is_sent_and_410_disables_and_a_replay_after_enabling_arrives(told: Desk) -> None:
    async with receiving("410") as receiver:
        made = (await add(told, receiver.url))["endpoint"]
        where = f"/api/endpoints/{made['id']}"
        assert (await told.http.post(f"{where}/tests", headers=told.olga)).status_code == 201
        (dead,) = await delivered(told, "dead")
        assert dead["last_error"] == GONE
        (endpoint,) = (await page(told))["endpoints"]
        assert endpoint["disabled_reason"] == GONE
        again = await told.http.post(f"/api/deliveries/{dead['id']}/replays", headers=told.olga)
        assert (again.status_code, again.json()["code"]) == (409, "not_replayable")
        assert (await told.http.post(f"{where}/tests", headers=told.olga)).status_code == 409
        enabled = await told.http.put(f"{where}/status", json={"status": "enabled"}, headers=told.olga)
        assert enabled.json()["disabled_at"] is None
        assert (await told.http.post(f"/api/deliveries/{dead['id']}/replays", headers=told.olga)).status_code == 201
        (sent,) = await delivered(told, "sent")
        assert receiver.ids == [dead["id"], dead["id"]] == [sent["id"]] * 2


async def test_disabling_and_deleting(told: Desk) -> None:
    made = (await add(told, "https://hooks.example/"))["endpoint"]
    where = f"/api/endpoints/{made['id']}"
    disabled = await told.http.put(f"{where}/status", json={"status": "disabled"}, headers=told.olga)
    assert disabled.json()["disabled_reason"] == "Disabled by the owner."
    await told.http.put(f"{told.cora.path}/handoff", headers=told.cora.headers)
    assert (await page(told))["deliveries"] == []
    assert (await told.http.delete(where, headers=told.olga)).status_code == 204
    assert (await told.http.delete(where, headers=told.olga)).status_code == 404
    assert (await page(told))["endpoints"] == []


@pytest.mark.parametrize(
    "body",
    [{"url": ""}, {"url": "https://a.example/", "kinds": []}, {"url": "https://a.example/", "kinds": ["nothing"]},
     {"url": "https://a.example/", "more": 1}, {"url": "https://a.example/" + "x" * 2000}, {}],
)  # fmt: skip
async def test_what_does_not_fit_is_refused(told: Desk, body: dict[str, Any]) -> None:
    assert (await told.http.post("/api/endpoints", json=body, headers=told.olga)).status_code == 422


async def test_private_addresses_are_refused_unless_they_are_allowed(desk: Desk) -> None:
    for url in ("http://hooks.example/", "https://10.0.0.1/", "https://[::1]/"):
        answer = await desk.http.post("/api/endpoints", json={"url": url}, headers=desk.olga)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_endpoint")


async def test_a_customer_who_is_gone_gets_the_answer_by_mail_and_comes_back_by_its_link(
    tmp_path: Path, migrated_url: str
) -> None:
    mailbox = Mailbox()
    async with post_office(mailbox) as smtp:
        mail = {"smtp_url": smtp, "mail_from": "chat@shop.example", "unseen_after": 0.2}
        async with inside(settings_for(tmp_path, migrated_url, **mail)) as room:
            desk = await staffed(room)
            leave = {"name": CORA.name, "email": CORA.email, "transcript": True}
            left = await desk.http.put(f"{desk.cora.path}/customer", json=leave, headers=desk.cora.headers)
            assert left.json()["wants_transcript"] is True
            await desk.http.put(f"{desk.conversation()}/assignee", headers=desk.alice)
            await desk.http.post(f"{desk.conversation()}/messages", json=words("It is found!"), headers=desk.alice)
            await eventually(lambda: mailbox.came, "the mail")
            assert (await delivered(desk, "sent"))[0]["channel"] == "mail"
            body = mailbox.came[0].get_body(("plain",))
            assert body
            token = body.get_content().partition("#back=")[2].split()[0]
            back = await desk.http.post("/api/chat/returns", json={"token": token})
            assert back.status_code == 201
            assert back.json()["conversation"]["messages"][-1]["text"] == "It is found!"
            again = {"Authorization": f"Bearer {back.json()['token']}"}
            assert (await desk.http.get(desk.cora.path, headers=again)).status_code == 200
            other = await open_chat(desk.db)
            assert (await desk.http.get(other.path, headers=again)).status_code == 403
            bad = await desk.http.post("/api/chat/returns", json={"token": desk.cora.token})
            assert (bad.status_code, bad.json()["code"]) == (401, "link_over")

            await desk.http.put(f"{desk.conversation()}/status", json={"status": "resolved"}, headers=desk.alice)
            await eventually(lambda: len(mailbox.came) == 2, "the transcript")
            assert mailbox.came[1]["Subject"] == "Your conversation – Hazel & Finch"


async def test_looking_at_the_chat_makes_the_mail_unneeded(tmp_path: Path, migrated_url: str) -> None:
    mailbox = Mailbox()
    async with post_office(mailbox) as smtp:
        mail = {"smtp_url": smtp, "mail_from": "chat@shop.example", "unseen_after": 4}
        async with inside(settings_for(tmp_path, migrated_url, **mail)) as room:
            desk = await staffed(room)
            for chat in (desk.cora, await open_chat(desk.db)):
                await desk.http.put(f"{chat.path}/customer", json={"email": CORA.email}, headers=chat.headers)
                await desk.http.put(f"{desk.conversation(chat)}/assignee", headers=desk.alice)
                await desk.http.post(f"{desk.conversation(chat)}/messages", json=words("Found!"), headers=desk.alice)
            await desk.http.get(desk.cora.path, headers=desk.cora.headers)
            sent = await delivered(desk, "sent")
            assert [one["conversation_id"] for one in sent] == [chat.id]
    assert len(mailbox.came) == 1


async def test_what_an_open_stream_has_shown_is_not_mailed(tmp_path: Path, migrated_url: str) -> None:
    mailbox = Mailbox()
    async with post_office(mailbox) as smtp:
        settings = settings_for(tmp_path, migrated_url, smtp_url=smtp, mail_from="chat@shop.example", unseen_after=4)
        async with serving(settings) as address, browser(address) as http, open_database(migrated_url) as db:
            await hire(db, ALICE)
            alice = await session(db, ALICE)
            here, gone = await open_chat(db), await open_chat(db)
            async with Listener(http, f"{here.path}/stream", here.headers) as stream:
                for chat in (here, gone):
                    where = f"/api/conversations/{chat.id}"
                    await http.put(f"{chat.path}/customer", json={"email": CORA.email}, headers=chat.headers)
                    await http.put(f"{where}/assignee", headers=alice)
                    await http.post(f"{where}/messages", json=words(f"for {chat.id}"), headers=alice)
                await stream.until(lambda s: s.said("agent"))
                await eventually(lambda: mailbox.came, "the mail to whoever is gone")
                async with db.read() as conn:
                    assert await unseen.next_due(conn) is None
                    assert await unseen.seen_up_to(conn, here.id) == stream.seqs[-1]
    body = mailbox.came[0].get_body(("plain",))
    assert body
    assert f"for {gone.id}" in body.get_content()
    assert len(mailbox.came) == 1
