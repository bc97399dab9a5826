"""An agent's tools: texts for the composer, colleagues in notes, who else is here, what is unread, one's own day."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.stage import Stage, has_no_sideways_scroll
from tests.browser.test_axe import NARROW, WIDE, examine
from tests.browser.test_staff import card_of, holding, lane, said_by_agents, waiting
from tests.conftest import ALICE, BOB

pytestmark = pytest.mark.asyncio(loop_scope="session")


# --- texts


async def test_a_canned_reply_by_its_shortcut(stage: Stage) -> None:
    page, (cora,) = await holding(stage, "Cora")
    draft, options = page.locator("#draft"), page.locator("#completions [role=option]")
    await draft.focus()
    await page.keyboard.type("and/or /sorr")
    await expect(options.first).to_contain_text("/sorry-late")
    await expect(draft).to_have_attribute("aria-controls", "completions")
    chosen = await draft.get_attribute("aria-activedescendant")
    await expect(page.locator(f"#{chosen}")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("ArrowDown")
    await expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Enter")
    await expect(draft).to_have_value(re.compile(r"^and/or I am sorry your parcel is late, Cora\. "))
    await expect(options).to_have_count(0)
    assert await draft.get_attribute("aria-activedescendant") is None
    assert await said_by_agents(stage, cora) == []

    # Escape closes the list and not the field; more typing opens it again; a slash within a word does not
    await page.keyboard.press("Control+a")
    await page.keyboard.type("/good")
    await expect(options.first).to_contain_text("/goodbye")
    await page.keyboard.press("Escape")
    await expect(options).to_have_count(0)
    await expect(draft).to_be_focused()
    await page.keyboard.type("b")
    await expect(options).to_have_count(1)
    await options.first.click()
    await expect(draft).to_be_focused()
    await expect(draft).to_have_value(re.compile(r"shopping with Hazel & Finch\. .* All the best, Alice$"))
    await page.keyboard.press("Enter")
    await expect(page.locator("#transcript li.agent[id^=m-]")).to_have_count(1)
    await page.keyboard.type("24/7")
    await expect(options).to_have_count(0)

    # answers of the shop are there as well; notes have no texts
    await page.keyboard.press("Control+a")
    await page.keyboard.type("/gift-w")
    await expect(options.first).to_contain_text("/gift-wrap")
    await page.keyboard.press("Tab")
    await expect(draft).to_be_focused()
    await page.click("#note-toggle")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("/sorr")
    await expect(options).to_have_count(0)


async def test_suggested_replies_go_into_the_composer_and_no_further(stage: Stage) -> None:
    page, (cora,) = await holding(stage, "Cora")
    buttons = page.locator("#suggestions button")
    await expect(buttons).to_have_count(0)
    await cora.say("my parcel is late, where is it? it should have been here days ago")
    await expect(buttons).to_have_count(3)
    await expect(page.locator("#suggestions [data-reply=sorry-late]")).to_be_visible()
    await page.locator("#transcript").focus()
    await page.keyboard.press("s")
    await expect(buttons.first).to_be_focused()
    await page.fill("#draft", "Hello Cora,")
    await page.locator("#suggestions [data-reply=sorry-late]").click()
    await expect(page.locator("#draft")).to_have_value(
        re.compile(r"^Hello Cora,\n\nI am sorry your parcel is late, Cora\.")
    )
    await expect(page.locator("#draft")).to_be_focused()
    assert await said_by_agents(stage, cora) == []
    await page.click("#note-toggle")
    await expect(page.locator("#suggestions")).to_be_hidden()


async def test_the_composer_works_when_no_texts_can_be_had(stage: Stage) -> None:
    (cora,) = await waiting(stage, "Cora")
    await stage.take(ALICE, cora.id)
    context = await stage.context()
    await stage.let_in(context, ALICE)
    page = await context.new_page()
    for path in ("**/replies", "**/api/colleagues", "**/api/mentions", "**/presence"):
        await page.route(path, lambda route: route.abort())
    await page.goto(f"/console/?chat={cora.id}")
    await expect(page.locator("#chat-status")).to_have_text("With you")
    await page.fill("#draft", "/hello")
    await page.press("#draft", "Enter")
    await expect(page.locator("#transcript li.agent[id^=m-]")).to_have_count(1)
    assert await said_by_agents(stage, cora) == [("public", "/hello")]


# --- colleagues


async def test_a_mentioned_colleague_is_told_at_once_and_after_a_reload(stage: Stage) -> None:
    page, (cora,) = await holding(stage, "Cora")
    bob = await stage.staff(BOB)
    await expect(lane(bob, "others")).to_have_count(1)
    await page.locator("#transcript").focus()
    await page.keyboard.press("e")
    await page.keyboard.type("she knows you, @b")
    options = page.locator("#completions [role=option]")
    await expect(options).to_have_text(["@Bob"])
    await page.keyboard.press("Enter")
    await page.keyboard.type("please look")
    await page.keyboard.press("Enter")
    await expect(page.locator("#transcript li.note .mention")).to_have_text("@Bob")
    assert await said_by_agents(stage, cora) == [("internal", "she knows you, @Bob please look")]

    card = bob.locator("[data-lane=mentions] button.card")
    await expect(card).to_contain_text("Alice mentioned you")
    await expect(bob.locator("#announcer")).to_contain_text("Alice mentioned you in the chat with Cora.")
    await bob.reload()
    await expect(card).to_be_visible()
    await bob.keyboard.press("j")
    await expect(card).to_be_focused()
    await bob.keyboard.press("Enter")
    await expect(bob.locator("#chat-title")).to_have_text("Cora")
    await expect(bob.locator("#transcript li.note")).to_be_focused()
    await expect(card).to_have_count(0)
    await bob.reload()
    await expect(bob.locator("#transcript li.note")).to_be_visible()
    await expect(bob.locator("[data-lane=mentions]")).to_be_hidden()
    await expect(page.locator("[data-lane=mentions]")).to_be_hidden()


async def test_two_who_look_at_one_chat_know_of_each_other(stage: Stage) -> None:
    page, (cora, dan) = await holding(stage, "Cora", "Dan")
    await expect(page.locator("#viewers")).to_be_hidden()
    bob = await stage.staff(BOB, f"/console/?chat={cora.id}")
    await expect(page.locator("#viewers")).to_have_text("Bob is looking at this chat")
    await expect(bob.locator("#viewers")).to_have_text("Alice is looking at this chat")
    await bob.locator("#draft").press_sequentially("careful")
    await expect(page.locator("#viewers")).to_have_text("Bob is writing a note")
    await expect(page.locator("#viewers")).to_have_class(re.compile("clash"))
    await page.locator("#draft").press_sequentially("hello")
    await expect(bob.locator("#viewers")).to_have_text("Alice is writing to the customer")
    await card_of(bob, dan).click()
    await expect(page.locator("#viewers")).to_be_hidden()
    await expect(bob.locator("#viewers")).to_be_hidden()
    await card_of(bob, cora).click()
    await expect(page.locator("#viewers")).to_have_text("Bob is looking at this chat")
    await bob.close(run_before_unload=False)
    await expect(page.locator("#viewers")).to_be_hidden()  # at once, or when it is forgotten


# --- typing


async def test_typing_is_seen_on_both_sides_and_stops_by_itself(stage: Stage) -> None:
    chat = await stage.customer()
    await chat.find("#ask-person").click()
    await expect(chat.find("#person-state")).to_be_visible()
    conversation = (await chat.session())["id"]
    await stage.take(ALICE, conversation)
    page = await stage.staff(ALICE, f"/console/?chat={conversation}")
    await expect(page.locator("#chat-status")).to_have_text("With you")
    await expect(chat.find("body")).to_have_attribute("data-status", "with_agent")

    await chat.field.press_sequentially("it is abo")
    typing = page.locator("#customer-typing")
    await expect(typing).to_have_text("Customer is typing…")
    await expect(typing).to_be_hidden()  # nobody types any more
    await chat.field.press_sequentially("ut my jug")
    await expect(typing).to_be_visible()
    await chat.field.press("Enter")
    await expect(page.locator("#transcript li.customer")).to_have_count(1)
    await expect(typing).to_be_hidden()

    told = chat.find("#typing")
    await page.click("#note-toggle")
    await page.locator("#draft").press_sequentially("a note")
    bob = await stage.staff(BOB, f"/console/?chat={conversation}")
    await expect(bob.locator("#chat-title")).to_have_text("Customer")
    await bob.locator("#draft").press_sequentially("me too")
    await expect(page.locator("#viewers")).to_have_text("Bob is writing a note")
    await expect(told).to_be_hidden()
    await page.click("#note-toggle")
    await page.locator("#draft").press_sequentially(" for Cora")
    await expect(told).to_have_text("Alice is typing…")
    await expect(told).to_be_hidden()
    await page.locator("#draft").press_sequentially("!")
    await expect(told).to_be_visible()
    await page.locator("#draft").press("Enter")
    await expect(chat.said("agent")).to_have_count(1)
    await expect(told).to_be_hidden()


# --- what is new, what is kept


async def test_what_is_unread_is_marked_and_stays_so_after_a_reload(stage: Stage) -> None:
    page, (_, ben) = await holding(stage, "Ann", "Ben")
    await ben.say("hello?")
    await expect(card_of(page, ben)).to_contain_text("New message")
    await expect(page.locator("#announcer")).to_have_text("New message from Ben.")
    await page.reload()
    await expect(card_of(page, ben)).to_contain_text("New message")
    await card_of(page, ben).click()
    await expect(page.locator(".unseen")).to_have_count(0)
    await page.reload()
    await expect(page.locator("#chat-title")).to_have_text("Ben")
    await expect(lane(page, "mine")).to_have_count(2)
    await expect(page.locator(".unseen")).to_have_count(0)


async def test_logging_out_leaves_no_drafts(stage: Stage) -> None:
    page, _ = await holding(stage, "Cora")
    kept = "Object.keys(localStorage).filter(key => key.includes('.draft.')).length"
    await page.fill("#draft", "half a sent")
    await page.click("#log-out")
    ask = page.locator("dialog#confirm")
    await expect(ask).to_contain_text("Log out with an unsent draft?")
    await ask.get_by_role("button", name="Keep writing").click()
    assert await page.evaluate(kept) == 1
    await page.click("#log-out")
    await page.locator("#confirm-go").click()
    await expect(page).to_have_url(re.compile("/login"))
    assert await page.evaluate(kept) == 0


HEAR = """
window.heard = [];
window.asked = 0;
let permission = "default";
window.Notification = class extends EventTarget {
  static get permission() { return permission; }
  static async requestPermission() { window.asked++; return (permission = window.answer ?? "granted"); }
  constructor(title, options) { super(); window.heard.push([title, options.body ?? ""]); }
  close() {}
};
Object.defineProperty(document, "visibilityState", { get: () => window.away ? "hidden" : "visible" });
"""
"""A browser's notifications, and whether the page can be seen: neither exists in a browser without a screen."""


async def test_notifications_are_asked_for_by_a_button_and_hold_no_words(stage: Stage) -> None:
    (cora,) = await waiting(stage, "Cora")
    await stage.take(ALICE, cora.id)
    context = await stage.context()
    await context.add_init_script(HEAR)
    await stage.let_in(context, ALICE)
    page = await context.new_page()
    await page.goto("/console/")
    await expect(lane(page, "mine")).to_have_count(1)
    assert await page.evaluate("asked") == 0
    await page.click("#notify")
    await expect(page.locator("#notify")).to_have_text("Notifications on")
    assert await page.evaluate("asked") == 1

    await page.evaluate("window.away = true")
    await cora.say("my card number is 4111 1111 1111 1111")
    await expect(card_of(page, cora)).to_contain_text("New message")
    assert await page.evaluate("heard") == [["New message from Cora", ""]]
    await waiting(stage, "Dan")
    await expect(page.locator("[data-lane=offered] .offer")).to_have_count(1)
    assert await page.evaluate("heard[1]") == ["Dan is offered to you", ""]
    await page.evaluate("window.away = false")
    await page.click("#notify")
    await expect(page.locator("#notify")).to_have_text("Notifications off")

    blocked = await context.new_page()
    await blocked.add_init_script("window.answer = 'denied'")
    await blocked.goto("/console/")
    await blocked.click("#notify")
    await expect(blocked.locator("#notify-hint")).to_contain_text("This browser blocks notifications")
    await expect(blocked.locator("#notify")).to_have_attribute("aria-pressed", "false")


async def test_the_page_on_which_a_chat_began_is_shown(stage: Stage) -> None:
    body = {"shop": "hazel-and-finch", "name": "Cora", "page_url": "https://shop.example/jugs/blue"}
    opened = (await stage.http.post("/api/chat/conversations", json=body)).raise_for_status().json()
    page = await stage.staff(ALICE, f"/console/?chat={opened['conversation']['id']}")
    link = page.locator("#brief a", has_text="shop.example/jugs/blue")
    await expect(link).to_have_attribute("rel", re.compile("noreferrer"))


# --- what the desk says: states that are hard to bring about (the rest is in test_desk.py)


Answer = Callable[[Route], Any]


async def with_desk(stage: Stage, page: Page, more: dict[str, Any], answers: dict[str, Answer]) -> None:
    """The console at ``page`` sees ``more`` in its desk, and these routes answer."""

    async def desk(route: Route) -> None:
        real = await route.fetch()
        await route.fulfill(response=real, json=await real.json() | more)

    async def stream(route: Route) -> None:
        real = await stage.http.get("/api/desk", headers=await route.request.all_headers())
        await route.fulfill(
            content_type="text/event-stream", body=f"event: desk\ndata: {json.dumps(real.json() | more)}\n\n"
        )

    await page.route("**/api/desk", desk)
    await page.route("**/api/desk/stream", stream)
    for path, answer in answers.items():
        await page.route(path, answer)


def me_at_work(**more: Any) -> dict[str, Any]:
    day = {"chats": 5, "heavy_minutes": 23.4, "since": "2026-03-04T08:00:00Z"}
    return {
        "id": ALICE.id, "name": "Alice", "email": ALICE.email, "role": "agent", "status": "here", "capacity": 4,
        "skills": ["returns"], "languages": ["en"], "held": 2, "load": 12.0, "day": day, "pause_advised": False,
        "pause_reason": None,
    } | more  # fmt: skip


BOB_AT_WORK = {"id": BOB.id, "name": "Bob", "status": "here", "held": 1, "capacity": 4, "heavy": True}


async def test_offered_chats_with_time_left(stage: Stage) -> None:
    ann, ben = await waiting(stage, "Ann", "Ben")
    page = await stage.staff(ALICE, "/login")
    cards = {c["id"]: c for c in (await stage.as_staff(ALICE, "GET", "/api/desk"))["waiting"]}
    ends = (datetime.now(UTC) + timedelta(seconds=90)).isoformat()
    more: dict[str, Any] = {
        "offered": [cards[v.id] | {"offer_expires_at": ends, "heavy": True, "flags": ["abuse"]} for v in (ann, ben)],
        "agents": [BOB_AT_WORK],
    }
    answered: list[tuple[str, bool]] = []

    async def answer(route: Route) -> None:
        accept = route.request.post_data_json["accept"]
        conversation_id = route.request.url.split("/")[-2]
        answered.append((conversation_id, accept))
        more["offered"] = [one for one in more["offered"] if one["id"] != conversation_id]
        if not accept:
            await route.fulfill(status=204)
            return
        await stage.take(ALICE, conversation_id)
        await route.fulfill(json=await stage.as_staff(ALICE, "GET", f"/api/conversations/{conversation_id}"))

    await with_desk(stage, page, more, {"**/desk-offer": answer})
    await page.goto("/console/")
    offers = page.locator("[data-lane=offered] .offer")
    await expect(offers).to_have_count(2)
    await expect(lane(page, "waiting")).to_have_count(0)
    await expect(offers.first.locator("time[data-until]")).to_have_text(re.compile(r"^1 min \d+ s left$"))
    await examine(page, "console, chats offered")
    await page.set_viewport_size({"width": NARROW, "height": 640})
    await has_no_sideways_scroll(page)
    await page.set_viewport_size({"width": WIDE, "height": 800})
    await page.keyboard.press("d")
    await expect(offers).to_have_count(1)
    await page.keyboard.press("a")
    await expect(page.locator("#chat-title")).to_have_text("Ben")
    await expect(page.locator("#chat-status")).to_have_text("With you")
    assert answered == [(ann.id, False), (ben.id, True)]


async def test_an_offer_that_has_moved_on(stage: Stage) -> None:
    (ann,) = await waiting(stage, "Ann")
    page = await stage.staff(ALICE, "/login")
    (card,) = (await stage.as_staff(ALICE, "GET", "/api/desk"))["waiting"]
    more: dict[str, Any] = {"offered": [card | {"offer_expires_at": "2026-01-01T00:00:00Z"}], "agents": []}

    async def gone(route: Route) -> None:
        more["offered"] = []
        await route.fulfill(status=409, json={"code": "not_offered", "detail": "no"})

    await with_desk(stage, page, more, {"**/desk-offer": gone})
    await page.goto("/console/")
    await expect(page.locator(".offer time")).to_have_text("Time is up")
    await page.locator("[data-answer=accept]").click()
    await expect(page.locator("#offer-problem")).to_have_text("That chat is no longer offered to you.")
    await expect(page.locator(".offer")).to_have_count(0)
    await expect(card_of(page, ann)).to_be_visible()


async def test_next_chat(stage: Stage) -> None:
    (ann,) = await waiting(stage, "Ann")
    page = await stage.staff(ALICE, "/login")

    async def next_chat(route: Route) -> None:
        left = (await stage.as_staff(ALICE, "GET", "/api/desk"))["waiting"]
        if not left:
            await route.fulfill(status=204)
            return
        await stage.take(ALICE, left[0]["id"])
        await route.fulfill(json=await stage.as_staff(ALICE, "GET", f"/api/conversations/{left[0]['id']}"))

    await with_desk(stage, page, {"agents": []}, {"**/api/desk/next": next_chat})
    await page.goto("/console/")
    await expect(page.locator("#next")).to_be_visible()
    await page.keyboard.press("n")
    await expect(page.locator("#chat-title")).to_have_text("Ann")
    await expect(card_of(page, ann)).to_have_attribute("aria-current", "true")
    await page.locator("#transcript").focus()
    await page.keyboard.press("n")
    await expect(page.locator("#next-problem")).to_have_text("Nobody is waiting for you now.")


async def test_passing_a_chat_on(stage: Stage) -> None:
    (ann,) = await waiting(stage, "Ann")
    await stage.take(ALICE, ann.id)
    page = await stage.staff(ALICE, "/login")
    sent: list[Any] = []

    async def transfer(route: Route) -> None:
        sent.append(route.request.post_data_json)
        if len(sent) == 1:
            await route.fulfill(status=409, json={"code": "away", "detail": "Bob has just left."})
            return
        await stage.as_staff(ALICE, "DELETE", f"/api/conversations/{ann.id}/assignee")
        await route.fulfill(json=await stage.as_staff(ALICE, "GET", f"/api/conversations/{ann.id}"))

    away, myself = {"id": "away", "name": "Dora", "status": "away"}, {"id": ALICE.id, "name": "Alice"}
    more = {"me": me_at_work(), "agents": [BOB_AT_WORK | myself, BOB_AT_WORK | away, BOB_AT_WORK]}
    await with_desk(stage, page, more, {"**/transfer": transfer})
    await page.goto(f"/console/?chat={ann.id}")
    await expect(page.locator("#pass-on")).to_be_visible()
    await page.locator("#transcript").focus()
    await page.keyboard.press("t")
    dialog = page.locator("dialog#transfer")
    await expect(dialog).to_contain_text("Pass on the chat with Ann")
    await expect(page.locator("#transfer-agent option")).to_have_text(["Bob (1 of 4 chats, heavy ones)"])
    await examine(page, "console, passing a chat on")
    submit = dialog.get_by_role("button", name="Pass on")
    await submit.click()
    await expect(page.locator("#transfer-problem")).to_contain_text("Write a line for whoever takes it")
    await expect(page.locator("#transfer-note")).to_be_focused()
    await page.keyboard.type("She asked for you.")
    await submit.click()
    await expect(page.locator("#transfer-problem")).to_have_text("Not passed on. Bob has just left.")
    await page.locator("#transfer-to-skill").check()
    await submit.click()
    await expect(page.locator("#transfer-problem")).to_have_text("Which skill is needed?")
    await page.keyboard.type("returns")
    await submit.click()
    await expect(dialog).to_be_hidden()
    await expect(page.locator("#chat-status")).to_have_text("Waiting for a person")
    assert sent == [
        {"to_agent": BOB.id, "to_skill": None, "note": "She asked for you."},
        {"to_agent": None, "to_skill": "returns", "note": "She asked for you."},
    ]


async def test_ones_own_day(stage: Stage) -> None:
    (cora,) = await waiting(stage, "Cora")
    page = await stage.staff(ALICE, "/login")
    more: dict[str, Any] = {"me": me_at_work(pause_advised=True, pause_reason="3 heavy chats in a row")}

    async def change(route: Route) -> None:
        status = route.request.post_data_json["status"]
        if status == "leaving":
            await route.fulfill(status=503, json={"code": "x", "detail": "Try again in a moment."})
            return
        more["me"] = more["me"] | {"status": status}
        await route.fulfill(json=more["me"])

    await with_desk(stage, page, more, {"**/api/me": change})
    await page.goto("/console/")
    await expect(page.locator("#day-button")).to_have_text("Here · 2 of 4")
    await expect(page.locator("#pause")).to_contain_text("Time for a pause: 3 heavy chats in a row.")
    await page.click("#day-button")
    await expect(page.locator("#day-numbers")).to_contain_text("5 chats and 23 heavy minutes since")
    await examine(page, "console, one's own day")
    await page.keyboard.press("n")  # not while the panel is open
    await page.locator("[name=day-status][value=leaving]").click()  # it goes back by itself: it was refused
    await expect(page.locator("#day-problem")).to_have_text("Not changed. Try again in a moment.")
    await expect(page.locator("[name=day-status][value=here]")).to_be_checked()
    await page.keyboard.press("Escape")
    await expect(page.locator("#day")).to_be_hidden()
    await page.set_viewport_size({"width": NARROW, "height": 640})
    await card_of(page, cora).click()
    await expect(page.locator("#queue")).to_be_hidden()
    await expect(page.locator("#pause-away")).to_be_in_viewport()  # also beside an open chat on a phone
    await has_no_sideways_scroll(page)
    await page.click("#pause-away")
    await expect(page.locator("#day-button")).to_have_text("Away · 2 of 4")
    await expect(page.locator("#pause")).to_be_hidden()


# --- and axe


async def test_axe_finds_nothing_in_what_the_composer_shows(stage: Stage) -> None:
    page, (cora,) = await holding(stage, "Cora")
    await cora.say("my parcel is late, where is it?")
    await expect(page.locator("#suggestions button").first).to_be_visible()
    bob = await stage.staff(BOB, f"/console/?chat={cora.id}")
    await expect(bob.locator("#chat-title")).to_have_text("Cora")
    await bob.locator("#draft").press_sequentially("@Alice look")
    await bob.keyboard.press("Enter")
    await expect(page.locator("[data-lane=mentions] .card")).to_be_visible()
    await expect(page.locator("#viewers")).to_be_visible()
    await page.locator("#draft").focus()
    await page.keyboard.type("/")
    await expect(page.locator("#completions [role=option]").first).to_be_visible()
    await examine(page, "console, choosing a text")
    await page.set_viewport_size({"width": NARROW, "height": 640})
    await has_no_sideways_scroll(page)
