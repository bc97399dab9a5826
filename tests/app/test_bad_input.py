"""Bad input: nothing is lost, and the answer says what to do."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.app.conftest import Desk
from tests.serving import browser, open_chat, serving, settings_for, transcript, words


async def send(desk: Desk, text: str, client_message_id: str | None = None) -> httpx.Response:
    body = words(text, client_message_id)
    return await desk.http.post(f"{desk.cora.path}/messages", json=body, headers=desk.cora.headers)


async def raw(desk: Desk, content: Any, **headers: str) -> httpx.Response:
    headers = desk.cora.headers | {"Content-Type": "application/json"} | headers
    return await desk.http.post(f"{desk.cora.path}/messages", content=content, headers=headers)


async def customer_said(desk: Desk) -> list[str]:
    return [m.text for m in await transcript(desk.db, desk.cora) if m.author == "customer"]


def says(answer: httpx.Response, status: int, code: str, *phrases: str) -> None:
    """The answer has this status and code, and its words say these things."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    for phrase in phrases:
        assert phrase.casefold() in answer.json()["detail"].casefold()


@pytest.mark.parametrize("text", ["", "   \n\t ", "\x00\x01", "\u200b\u200d", "\u202e"], ids=ascii)
async def test_a_message_of_nothing_is_refused_in_words(desk: Desk, text: str) -> None:
    says(await send(desk, text), 400, "bad_message", "empty", "Write something")
    assert await customer_said(desk) == []


async def test_a_text_of_100_kb_is_refused_with_the_limit_named(desk: Desk) -> None:
    says(await send(desk, "a" * 100_000), 400, "bad_message", "100,000", "16,000")
    assert await customer_said(desk) == []


async def test_what_was_said_before_a_refusal_is_kept(desk: Desk) -> None:
    await send(desk, "first")
    await send(desk, "")
    await send(desk, "second")
    assert await customer_said(desk) == ["first", "second"]


async def test_a_body_over_1_mb_is_refused(desk: Desk) -> None:
    says(await send(desk, "a" * 1_100_000), 413, "too_large", "1 MB")


@pytest.fixture
async def real_desk(tmp_path: Path, desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """The same database behind a real server."""
    async with serving(settings_for(tmp_path, run_worker=False)) as url, browser(url) as http:
        yield http


async def test_a_body_over_1_mb_is_refused_on_the_wire(desk: Desk, real_desk: httpx.AsyncClient) -> None:
    body = words("a" * 1_100_000)
    says(await real_desk.post(f"{desk.cora.path}/messages", json=body, headers=desk.cora.headers), 413, "too_large")


async def test_a_body_over_1_mb_that_does_not_say_its_length_is_refused(
    desk: Desk, real_desk: httpx.AsyncClient
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 100_000
        yield json.dumps(words("after three megabytes of nothing")).encode()

    headers = desk.cora.headers | {"Content-Type": "application/json"}
    answer = await real_desk.post(f"{desk.cora.path}/messages", content=chunks(), headers=headers)
    says(answer, 413, "too_large", "1 MB")
    assert await customer_said(desk) == []


async def test_a_small_body_that_does_not_say_its_length_is_taken(desk: Desk, real_desk: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield json.dumps(words("in pieces")).encode()

    headers = desk.cora.headers | {"Content-Type": "application/json"}
    answer = await real_desk.post(f"{desk.cora.path}/messages", content=chunks(), headers=headers)
    assert answer.status_code == 201


async def test_broken_utf8_is_refused_in_words(desk: Desk) -> None:
    answer = await raw(desk, b'{"text": "caf\xe9 \xff", "client_message_id": "broken-utf8"}')
    assert 400 <= answer.status_code < 500
    assert {"code", "detail"} <= set(answer.json()), answer.text
    assert await customer_said(desk) == []


@pytest.mark.parametrize("path", ["/api/nowhere", "/api/chat/conversations/"])
async def test_an_address_that_does_not_exist_is_answered_like_every_other_problem(desk: Desk, path: str) -> None:
    assert {"code", "detail"} <= set((await desk.http.get(path)).json())


async def test_half_a_surrogate_pair_is_refused_as_a_shape(desk: Desk) -> None:
    answer = await raw(desk, b'{"text": "half \\ud83d", "client_message_id": "surrogate-1"}')
    assert answer.status_code in (201, 422)
    assert [t.encode() for t in await customer_said(desk)] == ([b"half"] if answer.status_code == 201 else [])


async def test_a_nul_is_left_out_and_the_rest_is_kept(any_desk: Desk) -> None:
    assert (await send(any_desk, "be\x00fore")).json()["text"] == "before"


@pytest.mark.parametrize(
    "text",
    [
        "<b>bold</b> & <script>alert(1)</script>",
        "{{ 7 * 7 }} {% raw %}",
        "'; drop table messages; --",
        "\u202eright to left\u202c \u200fשלום\u200e",
        "two\nlines\tand a tab",
        "👩‍👩‍👧‍👦 family",
    ],
    ids=ascii,
)
async def test_text_comes_back_as_it_was_written(any_desk: Desk, text: str) -> None:
    assert (await send(any_desk, text)).json()["text"] == text
    assert await customer_said(any_desk) == [text]


async def test_5000_emoji_are_kept(any_desk: Desk) -> None:
    text = "🎉" * 5000
    assert (await send(any_desk, text)).status_code == 201
    assert await customer_said(any_desk) == [text]


async def test_the_same_id_with_the_same_text_is_one_message(any_desk: Desk) -> None:
    first = (await send(any_desk, "once", "same-id-1")).json()
    assert (await send(any_desk, "once", "same-id-1")).json() == first
    assert await customer_said(any_desk) == ["once"]


async def test_the_same_id_with_another_text_is_a_conflict(any_desk: Desk) -> None:
    await send(any_desk, "once", "same-id-1")
    says(await send(any_desk, "twice", "same-id-1"), 409, "message_id_reused", "fresh id")
    assert await customer_said(any_desk) == ["once"]


@pytest.mark.parametrize("conversation_id", ["unknown", "f" * 32, "x" * 3000, "%00", "..%2f..", "🎈"], ids=ascii)
async def test_an_unknown_conversation_is_not_found(any_desk: Desk, conversation_id: str) -> None:
    answer = await any_desk.http.get(f"/api/conversations/{conversation_id}", headers=any_desk.alice)
    assert answer.status_code == 404


async def test_an_agent_cannot_write_to_a_resolved_conversation(desk: Desk) -> None:
    await desk.http.put(desk.conversation() + "/status", json={"status": "resolved"}, headers=desk.alice)
    answer = await desk.http.post(desk.conversation() + "/messages", json=words("one more"), headers=desk.alice)
    says(answer, 409, "may_not_speak", "resolved")


async def test_a_stale_take_says_who_has_it(desk: Desk) -> None:
    await desk.http.put(desk.conversation() + "/assignee", headers=desk.alice)
    answer = await desk.http.put(desk.conversation() + "/assignee", headers=desk.bob)
    says(answer, 409, "already_taken", "Alice")
    assert answer.json()["assignee_name"] == "Alice"


SECRET_TEXT = "my card number is 4929-0000"


@pytest.mark.parametrize(
    "body",
    [
        {"text": SECRET_TEXT},
        {"text": SECRET_TEXT, "client_message_id": "short"},
        {"text": SECRET_TEXT, "client_message_id": "no spaces please"},
        {"text": SECRET_TEXT, "client_message_id": "good-id-1", "author": "bot"},
        {"text": [SECRET_TEXT], "client_message_id": "good-id-1"},
        {"text": {"t": SECRET_TEXT}, "client_message_id": "good-id-1"},
        {"text": None, "client_message_id": SECRET_TEXT},
        [SECRET_TEXT],
        SECRET_TEXT,
        None,
        {"text": SECRET_TEXT * 5000, "client_message_id": "good-id-1"},
    ],
    ids=lambda body: str(body)[:60],
)
async def test_a_wrong_shape_names_the_field_and_not_the_text(desk: Desk, body: object) -> None:
    answer = await raw(desk, json.dumps(body))
    says(answer, 422, "bad_shape")
    assert SECRET_TEXT not in answer.text


async def test_broken_json_is_refused_without_repeating_it(desk: Desk) -> None:
    answer = await raw(desk, '{"text": "' + SECRET_TEXT)
    assert answer.status_code == 422
    assert SECRET_TEXT not in answer.text


ODD = "Co\x00ra"


def odd_requests(desk: Desk) -> Iterator[tuple[str, str, Any, dict[str, str]]]:
    """Requests with a NUL somewhere in what is kept or looked up, or a number that no column holds."""
    big = 2**70
    yield "put", f"{desk.cora.path}/customer", {"name": ODD}, desk.cora.headers
    yield "post", "/api/chat/conversations", {"shop": "hazel-and-finch", "name": ODD}, {}
    yield "post", "/api/chat/conversations", {"shop": "hazel-and-finch", "page_url": "/shop/\x00"}, {}
    yield "post", "/api/session", {"email": "a\x00b@shop.example", "password": "x"}, {}
    yield "get", "/api/escalations?reason=%00", None, desk.olga
    yield "get", "/api/escalations?agent=%00", None, desk.olga
    yield "get", f"{desk.conversation()}/events?after={big}", None, desk.alice
    yield "put", f"/api/escalations/{desk.cora.id}/{big}/verdict", {"verdict": "right"}, desk.olga
    yield "put", f"/api/escalations/{desk.cora.id}/{2**40}/verdict", {"verdict": "right"}, desk.olga


@pytest.mark.parametrize("number", range(9))
async def test_odd_characters_and_numbers_are_no_failure_of_the_database(any_desk: Desk, number: int) -> None:
    method, path, body, headers = list(odd_requests(any_desk))[number]
    answer = await any_desk.http.request(method, path, json=body, headers=headers)
    assert answer.status_code < 500, f"{method} {path} {body}: {answer.text}"


@pytest.mark.parametrize("last", ["9" * 30, "9" * 5000, "-1", "x", "٣"], ids=lambda v: ascii(v)[:12])
async def test_a_nonsense_last_event_id_does_not_break_the_stream(
    desk: Desk, real_desk: httpx.AsyncClient, last: str
) -> None:
    """Whatever it was, a state comes: the reader is never left before an empty stream."""
    headers = desk.cora.headers | {"Last-Event-ID": last.encode()}  # type: ignore[dict-item]
    async with real_desk.stream("GET", f"{desk.cora.path}/stream", headers=headers) as response:
        async with asyncio.timeout(20):
            lines = [line async for line in until_state(response)]
    assert "event: state" in lines


async def until_state(response: httpx.Response) -> AsyncIterator[str]:
    async for line in response.aiter_lines():
        yield line
        if line == "event: state":
            return


async def test_a_shop_that_is_not_served_here_is_named_as_the_cause(desk: Desk) -> None:
    says(await desk.http.post("/api/chat/conversations", json={"shop": "elsewhere"}), 404, "unknown_shop", "data-shop")


async def test_another_customers_message_id_does_not_collide(desk: Desk) -> None:
    other = await open_chat(desk.db)
    await send(desk, "mine", "shared-id-1")
    answer = await desk.http.post(
        f"{other.path}/messages", json=words("theirs", "shared-id-1"), headers=other.headers
    )  # fmt: skip
    assert answer.json()["text"] == "theirs"
