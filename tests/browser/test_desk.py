"""The desk end to end: customers and agents each at a window of their own, and nothing between them but the server."""

import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from playwright.async_api import Browser, Locator, Page, expect

from app.config import DEMO_SHOP
from app.shop import DAYS
from tests.browser.stage import WORRIED, ChatPage, Served, Stage
from tests.browser.test_escalation import ANGER, QUESTION
from tests.browser.test_staff import card_of, holding, lane, waiting
from tests.conftest import ALICE, BOB, OLGA, open_database
from tests.serving import ZONE, eventually, hire

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEFT = re.compile(r"^\d+ s left$|^1 min \d+ s left$")


def offers(page: Page) -> Locator:
    """The chats that are offered to whoever sits at this console."""
    return page.locator("[data-lane=offered] .offer")


async def asked(stage: Stage, name: str) -> ChatPage:
    """A customer at a window of their own who has asked for a person."""
    chat = await stage.customer()
    await chat.find("#introduce-summary").click()
    await chat.find("#name").fill(name)
    await chat.find("#name").press("Enter")
    await expect(chat.find("#introduce-said")).to_have_text("Saved, thank you.")
    await chat.find("#ask-person").click()
    await expect(chat.find("body")).to_have_attribute("data-status", "waiting")
    return chat


async def in_ones_hands(stage: Stage, name: str = "Cora") -> tuple[ChatPage, Page]:
    """A customer's window, and Alice's console in which she has just accepted them."""
    page = await stage.staff(ALICE)
    await expect(lane(page, "waiting")).to_have_count(0)
    chat = await asked(stage, name)
    await expect(offers(page)).to_have_count(1)
    await page.keyboard.press("a")
    await expect(page.locator("#chat-status")).to_have_text("With you")
    await expect(chat.find("#status")).to_have_text("You are talking to Alice")
    return chat, page


# --- what the bot offers


async def test_a_person_whom_the_bot_offered_comes_when_the_customer_accepts(stage: Stage) -> None:
    alice = await stage.staff(ALICE)
    await expect(alice.locator("#online")).to_have_text("1 person at the desk")
    chat = await stage.customer()
    await chat.say(WORRIED)
    await expect(chat.said("bot").last).to_contain_text("a person")
    buttons = chat.find("#replies button")
    await expect(buttons).to_have_text(["Yes, a person please", "No, carry on"])
    await expect(lane(alice, "waiting")).to_have_count(0)
    await buttons.first.click()
    await expect(chat.find("#person-state")).to_have_text("You are next in line, at most about 2 minutes")
    await expect(chat.find("#replies")).to_be_hidden()
    await expect(chat.said("system").last).to_contain_text("You are next in line")

    await expect(offers(alice)).to_contain_text(WORRIED)
    await offers(alice).locator("button.card").click()  # she may read before she answers
    await expect(alice.locator("#chat-status")).to_have_text("Waiting for a person")
    await expect(alice.locator("#transcript li.customer")).to_contain_text(WORRIED)
    await offers(alice).get_by_role("button", name="Accept").click()
    await expect(alice.locator("#chat-status")).to_have_text("With you")
    evidence = alice.locator(".decision[data-act=offer]")
    await expect(evidence).to_contain_text("The bot offered a person: worried, and much is at stake")
    await expect(evidence).to_contain_text(re.compile("counts from"))
    await expect(alice.locator("#brief")).to_contain_text("Worried")
    await expect(chat.find("#status")).to_have_text("You are talking to Alice")
    await alice.fill("#draft", "They leave today, by courier.")
    await alice.press("#draft", "Enter")
    await expect(chat.said("agent")).to_have_text(["They leave today, by courier."])


async def test_whoever_declines_the_bots_offer_stays_with_the_bot(stage: Stage) -> None:
    alice = await stage.staff(ALICE)
    await expect(alice.locator("#online")).to_have_text("1 person at the desk")
    chat = await stage.customer()
    await chat.say(WORRIED)
    await chat.find("#replies [data-kind=decline]").click()
    await expect(chat.said("system").last).to_have_text(
        "All right, I will go on trying to help. A person is always one click away."
    )
    await expect(chat.find("#replies")).to_be_hidden()
    await chat.say("How much is gift wrapping?")
    await expect(chat.said("bot").last).to_contain_text("gift wrapping costs £4.50")
    await expect(chat.find("#replies [data-kind=decline]")).to_have_count(0)
    await expect(chat.find("#ask-person")).to_be_visible()
    await alice.locator("#lane-bot summary").click()
    await lane(alice, "bot").click()
    await expect(alice.locator("#transcript .offer_declined")).to_be_visible()
    await expect(offers(alice)).to_have_count(0)
    await expect(lane(alice, "waiting")).to_have_count(0)


# --- when nobody is there


@pytest_asyncio.fixture(loop_scope="session")
async def closed(chromium: Browser, tmp_path: Path) -> AsyncIterator[tuple[Stage, str]]:
    """The demo shop, open on one day alone that is neither today nor tomorrow, and with mail; and that day's name."""
    day = DAYS[(datetime.now(ZONE) + timedelta(days=3)).weekday()]
    shop = yaml.safe_load(DEMO_SHOP.read_text(encoding="utf-8")) | {"hours": {day: ["09:00-17:30"]}, "holidays": []}
    path = tmp_path / "closed.yaml"
    path.write_text(yaml.safe_dump(shop), encoding="utf-8")
    mail = {"WARMLINE_SMTP_URL": "smtp://127.0.0.1:9", "WARMLINE_MAIL_FROM": "hello@shop.example"}  # none is sent here
    server = Served(tmp_path, WARMLINE_SHOPS=json.dumps([str(path)]), **mail)
    try:
        await server.start()
        async with open_database(server.database) as db:
            await hire(db, ALICE, BOB, OLGA)
            async with Stage(server.address, db, chromium) as stage:
                yield stage, day.capitalize()
    finally:
        server.stop()
    assert stage.problems == []


async def test_out_of_hours_an_address_is_left_and_the_chat_waits_for_the_morning(closed: tuple[Stage, str]) -> None:
    stage, day = closed
    chat = await stage.customer()
    await chat.say(WORRIED)
    await expect(chat.said("bot").last).to_contain_text(f"nobody is at the desk now; people are back on {day} at 09:00")
    await expect(chat.find("#replies button")).to_have_text(["Keep a place for me", "Leave my e-mail", "No, carry on"])
    await chat.find("#replies [data-kind=email]").click()
    await expect(chat.find("#email")).to_be_focused()
    await expect(chat.find("body")).to_have_attribute("data-status", "bot")  # nothing was promised yet
    await chat.page.keyboard.type("cora@example.com")
    await chat.page.keyboard.press("Enter")
    await expect(chat.find("body")).to_have_attribute("data-status", "waiting")
    await expect(chat.find("#person-state")).to_have_text("Nobody is at the desk right now")
    await expect(chat.find("#introduce-summary")).to_have_text("You are cora@example.com. Change")
    await expect(chat.said("system").last).to_contain_text(f"people are back on {day} at 09:00")
    await expect(chat.find("#replies")).to_be_hidden()
    await chat.page.close()

    conversation = (await stage.as_staff(ALICE, "GET", "/api/desk"))["waiting"]
    assert [card["wait"]["minutes"] for card in conversation] == [None]
    alice = await stage.staff(ALICE)
    await expect(offers(alice)).to_contain_text(WORRIED)
    await offers(alice).get_by_role("button", name="Accept").click()
    await expect(alice.locator("#transcript")).to_contain_text("The customer left cora@example.com")


async def test_asking_for_a_person_out_of_hours_says_when_people_are_back(closed: tuple[Stage, str]) -> None:
    stage, day = closed
    chat = await stage.customer()
    await chat.find("#ask-person").click()
    await expect(chat.find("#person-state")).to_have_text("Nobody is at the desk right now")
    await expect(chat.said("system").last).to_contain_text(f"people are back on {day} at 09:00")
    await expect(chat.said("system").last).to_contain_text("leave an e-mail address so that the answer reaches you")
    await expect(chat.find("#introduce-summary")).to_have_text("Leave your e-mail for the answer")
    await expect(chat.find("#email")).to_be_visible()


async def test_an_agent_who_vanishes_gives_the_chat_back_and_the_customer_is_told(stage: Stage) -> None:
    chat, alice = await in_ones_hands(stage)
    bob = await stage.staff(BOB)
    await expect(lane(bob, "others")).to_have_count(1)
    await alice.close()

    async def back_in_the_queue() -> bool:
        await stage.vanish(ALICE)  # again, should the server have heard of her console while it was closing
        return await chat.find("body").get_attribute("data-status") == "waiting"

    await eventually(back_in_the_queue, "the chat's return to the queue")
    told = chat.said("system").filter(has_text="We lost touch with Alice")
    await expect(told).to_contain_text("nothing you wrote is lost, you kept your place")
    await expect(told).to_have_count(1)
    await expect(offers(bob)).to_contain_text("Its agent lost the connection")
    await bob.keyboard.press("a")
    await expect(bob.locator("#transcript .returned_to_queue")).to_contain_text("Alice lost the connection")
    await expect(chat.find("#status")).to_have_text("You are talking to Bob")

    # she comes back to find it in good hands
    again = await stage.staff(ALICE)
    await expect(lane(again, "others")).to_contain_text("Bob")
    await expect(lane(again, "mine")).to_have_count(0)


# --- what the desk offers


async def test_a_chat_that_is_offered_at_once_calls_its_agent_once(stage: Stage) -> None:
    """Whoever is asked to take it hears the offer alone; a colleague hears that somebody waits."""
    alice, bob = await stage.staff(ALICE), await stage.staff(BOB)
    await expect(alice.locator("#online")).to_have_text("2 people at the desk")
    for page in (alice, bob):
        await page.evaluate(
            """() => {
              window.heard = [];
              const announcer = document.getElementById("announcer");
              const keep = () => announcer.textContent && window.heard.push(announcer.textContent);
              new MutationObserver(keep).observe(announcer, { childList: true, characterData: true, subtree: true });
            }"""
        )
    await waiting(stage, "Ann")
    for page in (alice, bob):
        await expect(page.locator("#announcer")).to_contain_text("Ann")
    await alice.wait_for_timeout(2_000)
    heard = sorted([await page.evaluate("window.heard") for page in (alice, bob)])
    assert heard == [["New in the queue: Ann. Asked for a person."],
                     ["Offered to you: the chat with Ann. Press a to accept, d to decline."]]  # fmt: skip


async def test_offered_chats_are_accepted_and_declined_by_keyboard(stage: Stage) -> None:
    alice = await stage.staff(ALICE)
    await expect(alice.locator("#online")).to_have_text("1 person at the desk")
    ann, ben = await waiting(stage, "Ann", "Ben")
    await expect(offers(alice)).to_have_count(2)
    await expect(offers(alice).locator("time[data-until]").first).to_have_text(LEFT)
    await expect(alice.locator("#announcer")).to_contain_text("Press a to accept, d to decline.")
    await offers(alice).filter(has_text="Ann").get_by_role("button", name="Decline").focus()
    await alice.keyboard.press("d")
    await expect(offers(alice)).to_have_count(1)
    await expect(card_of(alice, ann)).to_be_visible()  # declined is not gone: it waits for somebody else
    await alice.keyboard.press("a")
    await expect(alice.locator("#chat-title")).to_have_text("Ben")
    await expect(alice.locator("#chat-status")).to_have_text("With you")
    assert (await ben.view())["agent_name"] == "Alice"

    bob = await stage.staff(BOB)
    await expect(offers(bob)).to_have_count(1)
    await expect(offers(bob)).to_contain_text("Ann")
    await bob.keyboard.press("a")
    await expect(bob.locator("#chat-title")).to_have_text("Ann")
    await expect(bob.locator("#transcript")).to_contain_text("Alice declined the offer")
    assert (await ann.view())["agent_name"] == "Bob"


# --- passing on


async def test_a_chat_is_passed_on_to_a_colleague_with_a_note(stage: Stage) -> None:
    chat, alice = await in_ones_hands(stage)
    bob = await stage.staff(BOB)
    await expect(lane(bob, "others")).to_have_count(1)
    await expect(alice.locator("#online")).to_have_text("2 people at the desk")
    await alice.locator("#transcript").focus()
    await alice.keyboard.press("t")
    await expect(alice.locator("#transfer-agent option")).to_have_text(["Bob (0 of 3 chats)"])
    await alice.fill("#transfer-note", "She asks about jugs; you know them.")
    await alice.get_by_role("button", name="Pass on").click()
    await expect(alice.locator("#chat-status")).to_have_text("Waiting for a person")
    await expect(chat.said("system").last).to_contain_text("Alice has asked Bob to go on with you.")

    await expect(offers(bob)).to_contain_text("Cora")
    await expect(offers(bob).locator("time[data-until]")).to_have_text(LEFT)
    await expect(lane(alice, "mine")).to_have_count(0)
    await bob.keyboard.press("a")
    note = bob.locator("#transcript li.note")
    await expect(note).to_contain_text("She asks about jugs; you know them.")
    await expect(chat.find("#status")).to_have_text("You are talking to Bob")
    await expect(lane(alice, "others")).to_contain_text("Bob")
    await chat.page.reload()
    await expect(chat.find("#status")).to_have_text("You are talking to Bob")
    assert "you know them" not in await chat.find("body").inner_text()


async def test_a_colleague_who_cannot_join_is_not_the_end_of_it(stage: Stage) -> None:
    chat, alice = await in_ones_hands(stage)
    bob = await stage.staff(BOB)
    await expect(alice.locator("#pass-on")).to_be_visible()
    await expect(alice.locator("#online")).to_have_text("2 people at the desk")
    await alice.click("#pass-on")
    await alice.fill("#transfer-note", "Could you?")
    await alice.get_by_role("button", name="Pass on").click()
    await expect(offers(bob)).to_have_count(1)
    await bob.keyboard.press("d")
    await expect(offers(bob)).to_have_count(0)
    await expect(chat.said("system").last).to_have_text(
        "Bob could not join just now. You kept your place and another person will join."
    )
    await expect(chat.find("body")).to_have_attribute("data-status", "waiting")
    await expect(alice.locator("#transcript")).to_contain_text("The transfer was not taken")


async def test_a_chat_is_passed_on_to_whoever_has_a_skill(stage: Stage) -> None:
    chat, alice = await in_ones_hands(stage)
    await stage.at_the_desk(BOB, skills=["returns"])
    bob = await stage.staff(BOB)
    await expect(alice.locator("#online")).to_have_text("2 people at the desk")
    await alice.click("#pass-on")
    await alice.locator("#transfer-to-skill").check()
    await alice.fill("#transfer-skill", "returns")
    await alice.fill("#transfer-note", "A return from abroad.")
    await alice.get_by_role("button", name="Pass on").click()
    await expect(chat.said("system").last).to_contain_text("a colleague who knows more about this")
    await expect(offers(bob)).to_contain_text("Cora")
    await expect(offers(alice)).to_have_count(0)
    await bob.keyboard.press("a")
    await expect(bob.locator("#transcript")).to_contain_text("Alice passed the chat on to whoever knows about returns")
    await expect(bob.locator("#transcript li.note")).to_contain_text("A return from abroad.")
    await expect(chat.find("#status")).to_have_text("You are talking to Bob")


# --- back to the bot, and back again


async def test_old_trouble_does_not_call_a_person_again(stage: Stage) -> None:
    alice = await stage.staff(ALICE)
    await expect(alice.locator("#online")).to_have_text("1 person at the desk")
    chat = await stage.customer()
    for text in (QUESTION, *ANGER):
        await chat.say(text)
    await expect(offers(alice)).to_have_count(1)
    await alice.keyboard.press("a")
    await expect(alice.locator("#chat-status")).to_have_text("With you")
    await alice.locator("[data-verb=return]").click()
    await expect(alice.locator("#chat-status")).to_have_text("With the bot")
    await expect(chat.said("system").last).to_contain_text("Alice has handed back to the automatic assistant")
    await expect(chat.find("#status")).to_have_text("Automatic assistant (bot)")

    await chat.say("How much is gift wrapping?")
    await expect(chat.said("bot").last).to_contain_text("gift wrapping costs £4.50")
    await expect(chat.find("#replies [data-kind=decline]")).to_have_count(0)
    await chat.say("thank you")
    await expect(chat.find("body")).to_have_attribute("data-status", "bot")
    await expect(offers(alice)).to_have_count(0)
    await expect(alice.locator("#transcript .handoff_requested")).to_have_count(1)
    await expect(alice.locator("#transcript .decision").last).to_have_attribute("data-act", "smalltalk")

    await chat.say(WORRIED)  # new trouble is heard
    await expect(alice.locator("#transcript .decision").last).to_have_attribute("data-act", re.compile("offer|handoff"))


async def test_whoever_comes_back_after_the_end_is_asked_of_the_same_agent(stage: Stage) -> None:
    chat, alice = await in_ones_hands(stage)
    await alice.locator("[data-verb=resolve]").click()
    await expect(chat.find("#status")).to_contain_text("This chat was closed; write to open it again.")
    await stage.at_the_desk(BOB)
    await chat.say("Hello again! How much is gift wrapping?")
    await expect(chat.find("#status")).to_have_text("Automatic assistant (bot)")
    await expect(alice.locator("#transcript")).to_contain_text("The customer came back")
    await chat.find("#ask-person").click()
    await expect(offers(alice)).to_contain_text("Cora")
    assert (await stage.as_staff(BOB, "GET", "/api/desk"))["offered"] == []
    await alice.keyboard.press("a")
    await expect(alice.locator("#chat-status")).to_have_text("With you")
    await expect(alice.locator("#transcript")).to_contain_text("gift wrapping costs £4.50")
    await expect(chat.find("#status")).to_have_text("You are talking to Alice")


async def test_a_chat_that_is_put_back_keeps_its_place(stage: Stage) -> None:
    page, (ann,) = await holding(stage, "Ann")
    (ben,) = await waiting(stage, "Ben")
    await page.locator("[data-verb=release]").click()
    await expect(page.locator("#chat-status")).to_have_text("Waiting for a person")
    waits = {card["id"]: card["wait"]["place"] for card in (await stage.as_staff(BOB, "GET", "/api/desk"))["waiting"]}
    assert waits == {ann.id: 1, ben.id: 2}
