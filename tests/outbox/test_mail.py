"""Mail, against a real SMTP server that accepts, refuses, greylists, hangs up, and hangs."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from app.outbox import unseen
from app.outbox.errors import Failed
from app.outbox.links import LINK_LASTS, LinkOver, Links
from app.outbox.outbox import Channel, Status
from app.outbox.smtp import mail_server
from conversations.conversation import Conversation
from tests.conftest import ALICE, CORA, START
from tests.contract.houses import opened, taken
from tests.outbox.conftest import BASE_URL, Furnish, Room
from tests.outbox.receivers import Mailbox, free_port, post_office
from tests.serving import SECRET

SENDER = "Hazel <chat@shop.example>"


@contextlib.asynccontextmanager
async def office(furnish: Furnish, url: str, mailbox: Mailbox, **more: Any) -> AsyncIterator[Room]:
    """A room that hands its mail in at ``mailbox``."""
    async with post_office(mailbox, **more) as address:
        yield await furnish(url, mail=mail_server(address, SENDER))


async def answered(room: Room, text: str = "It is on its way.", email: str | None = None) -> Conversation:
    """Alice has answered; the customer saw nothing of it, and the deadline has passed."""
    one = taken()
    one.customer_email = email or one.customer_email
    await room.insert(one)
    await room.reply(one, text)
    room.clock.step(minutes=2)
    return one


async def test_an_unseen_answer_is_mailed_with_the_transcript_and_the_way_back(url: str, furnish: Furnish) -> None:
    mailbox = Mailbox()
    async with office(furnish, url, mailbox) as room:
        one = await answered(room, "It is <b>on</b> its way. Grüße 😀")
        await room.step()
        delivery = await room.only()
        assert (delivery.channel, delivery.kind, delivery.status) == (Channel.MAIL, "answer", Status.SENT)
        assert delivery.payload == {"after_seq": 0, "upto_seq": one.last_seq}
    (mail,) = mailbox.came
    assert mailbox.to == [CORA.email]
    assert mail["To"] == f"Cora <{CORA.email}>"
    assert mail["From"] == SENDER
    assert mail["Subject"] == "Alice answered you – Hazel & Finch"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == f"<{delivery.id}@shop.example>"
    plain, html = [part.get_content() for part in mail.iter_parts()]  # type: ignore[attr-defined]
    for text in ("It is <b>on</b> its way. Grüße 😀", "Where is my parcel?", "Hello Cora,"):
        assert text in plain
    assert "It is &lt;b&gt;on&lt;/b&gt; its way. Grüße 😀" in html
    assert "<b>" not in html
    link = next(word for word in plain.split() if word.startswith(BASE_URL))
    assert link in html
    where, _, token = link.partition("#back=")
    assert where == f"{BASE_URL}/chat/?shop={one.shop_id}"
    assert Links(SECRET, BASE_URL).conversation_of(token) == one.id


async def test_what_comes_later_is_mailed_later_and_what_was_mailed_is_not_mailed_again(
    url: str, furnish: Furnish
) -> None:
    mailbox = Mailbox()
    async with office(furnish, url, mailbox) as room:
        one = await answered(room, "first")
        await room.reply(one, "second, a moment later")
        await room.step()
        await room.reply(one, "third, after the mail")
        room.clock.step(seconds=119)
        await room.step()
        assert len(mailbox.came) == 1
        room.clock.step(seconds=1)
        await room.step()
        room.clock.step(days=1)
        await room.step()
    first, second = [mail.get_body(("plain",)).get_content() for mail in mailbox.came]  # type: ignore[union-attr]
    assert first.index("first") < first.index("second, a moment later") < first.index("Go on")
    told = second.partition("Go on")[0]
    assert "third" in told
    assert "second" not in told


async def test_a_note_to_colleagues_is_not_mailed(url: str, furnish: Furnish) -> None:
    mailbox = Mailbox()
    async with office(furnish, url, mailbox) as room:
        one = taken()
        one.note(ALICE.id, ALICE.name, "he is a difficult one", "n1", START)
        await room.insert(one)
        await room.reply(one, "hello")
        one.note(ALICE.id, ALICE.name, "very difficult", "n2", START)
        await room.save(one)
        room.clock.step(hours=1)
        await room.step()
    assert "difficult" not in mailbox.came[0].as_string()


async def test_without_an_address_nothing_is_mailed(url: str, furnish: Furnish) -> None:
    mailbox = Mailbox()
    async with office(furnish, url, mailbox) as room:
        one = Conversation.open("hazel-and-finch", START)
        one.take(ALICE.id, ALICE.name, START)
        await room.insert(one)
        await room.reply(one)
        room.clock.step(hours=1)
        await room.step()
        assert await room.all() == []
    assert mailbox.came == []


async def test_an_answer_that_was_seen_is_not_mailed(url: str, furnish: Furnish) -> None:
    mailbox = Mailbox()
    async with office(furnish, url, mailbox) as room:
        one = await answered(room)
        await unseen.note_seen(room.db, one.id, one.last_seq)
        await room.step()
        assert await room.all() == []
        await room.reply(one, "and this one is not seen")
        room.clock.step(minutes=2)
        await room.step()
    assert len(mailbox.came) == 1


async def test_an_answer_that_is_seen_while_the_mail_waits_is_not_needed(url: str, furnish: Furnish) -> None:
    mailbox = Mailbox(rcpt=("451 greylisted",))
    async with office(furnish, url, mailbox) as room:
        one = await answered(room)
        await room.step()
        await unseen.note_seen(room.db, one.id, one.last_seq)
        await room.due_again()
        await room.step()
        assert (await room.only()).status is Status.NOT_NEEDED
    assert mailbox.came == []


async def test_greylisting_is_tried_again_with_the_same_id(url: str, furnish: Furnish) -> None:
    mailbox = Mailbox(rcpt=("451 4.7.1 greylisted",), data=("450 busy",))
    async with office(furnish, url, mailbox) as room:
        await answered(room)
        for attempt in (1, 2):
            await room.step()
            one = await room.only()
            assert (one.status, one.attempts) == (Status.PENDING, attempt)
            await room.due_again()
        await room.step()
        assert (await room.only()).status is Status.SENT
    assert [mail["Message-ID"] for mail in mailbox.came] == [f"<{one.id}@shop.example>"]


@pytest.mark.parametrize("refusal", [{"rcpt": ("550 no such person",)}, {"data": ("554 we do not want this",)}])
async def test_a_refusal_for_good_ends_it_and_says_why(url: str, furnish: Furnish, refusal: dict[str, Any]) -> None:
    mailbox = Mailbox(**refusal)
    async with office(furnish, url, mailbox) as room:
        await answered(room)
        await room.step()
        one = await room.only()
    assert one.status is Status.DEAD
    assert one.last_error
    assert "refused: 55" in one.last_error


async def test_a_connection_that_is_lost_is_tried_again(url: str, furnish: Furnish) -> None:
    mailbox = Mailbox(data=("lost",))
    async with office(furnish, url, mailbox) as room:
        await answered(room)
        await room.step()
        assert (await room.only()).status is Status.PENDING
        await room.due_again()
        await room.step()
        assert (await room.only()).status is Status.SENT
    assert len(mailbox.came) == 1


async def test_a_server_that_is_down_or_says_nothing_is_tried_again(url: str, furnish: Furnish) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port, said in ((free_port(), "failed"), (silent.getsockname()[1], "did not answer within")):
            room: Room = await furnish(url, mail=mail_server(f"smtp://127.0.0.1:{port}?starttls=0", SENDER))
            await answered(room)
            await room.step()
            one = (await room.all())[-1]
            assert one.status is Status.PENDING
            assert one.last_error
            assert said in one.last_error


async def test_a_mail_server_that_says_nothing_is_not_asked_for_each_mail(url: str, furnish: Furnish) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"smtp://127.0.0.1:{silent.getsockname()[1]}?starttls=0"
        room: Room = await furnish(url, mail=mail_server(address, SENDER), timeout=0.3)
        for _ in range(12):
            await room.reply(await room.insert(taken()))
        room.clock.step(minutes=2)
        await room.step()
        attempted = [d.attempts for d in await room.all()]
        assert len(attempted) == 12
        assert 1 <= sum(attempted) <= 8


async def test_an_address_that_mail_cannot_go_to_is_dead_and_harms_no_header(url: str, furnish: Furnish) -> None:
    mailbox = Mailbox()
    async with office(furnish, url, mailbox) as room:
        await answered(room, email="cora@example.com\r\nBcc: everyone@example.com")
        await room.step()
        assert (await room.only()).status is Status.DEAD
    assert mailbox.came == []


async def test_an_address_in_other_letters_needs_a_server_that_takes_it(url: str, furnish: Furnish) -> None:
    for takes, status in ((True, Status.SENT), (False, Status.DEAD)):
        mailbox = Mailbox()
        async with office(furnish, url, mailbox, enable_SMTPUTF8=takes) as room:
            await answered(room, email="çora@example.com")
            await room.step()
            assert (await room.all())[-1].status is status


async def test_the_transcript_that_was_asked_for(url: str, furnish: Furnish) -> None:
    mailbox = Mailbox()
    async with office(furnish, url, mailbox) as room:
        one = opened(text="<script>alert(1)</script>")
        one.introduce(None, None, START, transcript=True)
        one.take(ALICE.id, ALICE.name, START)
        one.resolve(ALICE.id, ALICE.name, START)
        await room.insert(one)
        await room.step()
    (mail,) = mailbox.came
    assert mail["Subject"] == "Your conversation – Hazel & Finch"
    plain, html = [part.get_content() for part in mail.iter_parts()]  # type: ignore[attr-defined]
    assert "You, 04 Mar 2026, 10:00\n<script>alert(1)</script>" in plain.replace("\r\n", "\n")
    assert "&lt;script&gt;" in html
    assert "<script" not in html


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_logging_in(url: str, furnish: Furnish) -> None:
    def check(_: Any, __: Any, ___: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"us er", b"p@ss:w/rd"), handled=False)

    more = {"authenticator": check, "auth_required": True, "auth_require_tls": False}
    async with post_office(Mailbox(), **more) as address:
        good = address.replace("127", "us%20er:p%40ss%3Aw%2Frd@127", 1)
        await mail_server(good, SENDER).check(5)
        with pytest.raises(Failed, match="535"):
            await mail_server(good.replace("us%20er", "nobody"), SENDER).check(5)
        room: Room = await furnish(url, mail=mail_server(good.replace("us%20er", "nobody"), SENDER))
        await answered(room)
        await room.step()
        assert (await room.only()).status is Status.PENDING  # somebody will mend the password


async def test_tls_that_is_demanded_and_not_offered_is_no_delivery(url: str, furnish: Furnish) -> None:
    mailbox = Mailbox()
    async with post_office(mailbox) as address:
        room: Room = await furnish(url, mail=mail_server(address.replace("starttls=0", "starttls=1"), SENDER))
        await answered(room)
        await room.step()
        assert (await room.only()).status is Status.PENDING
    assert mailbox.came == []


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://h/x",
        "smtp://h?tls=1",
        "smtp://h?starttls=2",
        "smtp://h:99999",
    ],
)
def test_a_server_that_cannot_be_meant_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        mail_server(url, SENDER)


def test_the_usual_ports_and_no_password_in_what_is_printed() -> None:
    assert mail_server("smtp://h", SENDER).port == 587
    assert mail_server("smtps://h", SENDER).port == 465
    assert "hidden" not in repr(mail_server("smtp://user:hidden@h", SENDER))


def test_a_link_is_over_after_a_while_and_no_other_token_is_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    links = Links(SECRET, BASE_URL)
    token = links.back_to(opened()).partition("#back=")[2]
    assert links.conversation_of(token)
    with pytest.raises(LinkOver):
        Links("another secret of tests", BASE_URL).conversation_of(token)
    with pytest.raises(LinkOver):
        links.conversation_of(token[:-1])
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + LINK_LASTS.total_seconds() + 2)
    with pytest.raises(LinkOver):
        links.conversation_of(token)


async def test_nothing_of_a_mail_is_in_the_log(url: str, furnish: Furnish, capsys: pytest.CaptureFixture[str]) -> None:
    mailbox = Mailbox(data=("554 zanzibar-umbrella is a bad word",))
    async with office(furnish, url, mailbox) as room:
        await answered(room, "zanzibar-umbrella")
        await room.step()
    await asyncio.sleep(0)
    said = "".join(capsys.readouterr())
    assert "delivery" in said
    assert "zanzibar" not in said
    assert CORA.email not in said
