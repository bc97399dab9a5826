"""A whole escalation, the browser being customer and agents at once."""

import asyncio
import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.stage import ChatPage, Stage, has_no_sideways_scroll, twice_the_same
from tests.conftest import ALICE, BOB, OLGA

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "where is my parcel? order HF-20418"
ANGER = ("I already looked there, it has said the same thing for six days. this is ridiculous",
         "are you even listening? that's two parcels you have lost this month. unacceptable")  # fmt: skip
NOTE = "Lost by the carrier twice; send it again by express."
REPLY = "I am sorry. A new parcel leaves today."


async def open_widget_by_keyboard(page: Page) -> ChatPage:
    """Walk to the shop's chat button with Tab and press it; the focus is then where one writes."""
    for _ in range(60):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.tagName") == "WARMLINE-CHAT":
            break
    await expect(page.get_by_role("button", name="Chat with us")).to_be_focused()
    await page.keyboard.press("Enter")
    handle = await page.locator("iframe[title=Chat]").element_handle()
    frame = await handle.content_frame()
    chat = ChatPage(page, frame)
    await expect(chat.said("bot").first).to_be_visible()
    await expect(chat.field).to_be_focused()
    return chat


async def told_order(page: Page) -> list[str]:
    """Who spoke and what happened, as an agent's transcript shows it."""
    order: list[str] = await page.locator("#transcript li.line").evaluate_all(
        "lines => lines.map(l => l.dataset.author ?? l.dataset.act ?? l.className.split(' ').at(-1))"
    )
    return order


async def test_a_frustrated_customer_is_brought_to_a_person_and_back(stage: Stage) -> None:
    alice = await (await stage.context()).new_page()
    await alice.goto("/console/")
    await expect(alice.locator("#email")).to_be_focused()  # the door's script is there
    await alice.fill("#email", ALICE.email)
    await alice.fill("#password", ALICE.password)
    await alice.press("#password", "Enter")
    waiting = alice.locator("[data-lane=waiting]")
    await expect(waiting.locator(".empty")).to_be_visible()
    await expect(alice).to_have_title("Warmline")

    # the customer asks, and the bot answers
    shop = await (await stage.context()).new_page()
    await shop.goto("/shop/")
    chat = await open_widget_by_keyboard(shop)
    await shop.keyboard.type(QUESTION)
    await shop.keyboard.press("Enter")
    await expect(chat.said("bot")).to_have_count(2)
    await expect(chat.said("bot").last).to_contain_text("We email you a tracking link as soon as your parcel leaves us")
    await expect(chat.said("bot").last.get_by_role("link", name="Track an order")).to_be_visible()

    # feeling rises; a person is called, and the customer is told place and wait
    for text in ANGER:
        await chat.say(text)
    await expect(chat.find("body")).to_have_attribute("data-status", "waiting")
    await expect(chat.find("#status")).to_have_text("Waiting for a person")
    await expect(chat.find("#person-state")).to_have_text("You are next in line, at most about 2 minutes")
    await expect(chat.find("#ask-person")).to_be_hidden()
    await expect(chat.said("system").last).to_contain_text(re.compile(r"minute", re.IGNORECASE))

    # the agent's open console shows it without being touched
    await expect(alice).to_have_title("(1) Warmline")
    card = alice.locator("[data-lane=offered] button.card")
    await expect(card).to_have_count(1)
    await expect(card).to_contain_text("Frustrated")
    await expect(card).to_contain_text(ANGER[1])
    await expect(alice.locator("#announcer")).to_have_text(
        "Offered to you: the chat with Customer. Press a to accept, d to decline."
    )
    conversation = await card.get_attribute("data-conversation")
    assert conversation == (await chat.session())["id"]

    # she opens it: readings, decisions with evidence, brief, mood curve
    await card.click()
    transcript = alice.locator("#transcript")
    await expect(alice.locator("#chat-status")).to_have_text("Waiting for a person")
    await expect(transcript.locator("li.message.customer details.reading")).to_have_count(3)
    last = transcript.locator("li.message.customer", has_text=ANGER[1])
    await expect(last.locator("details.reading summary")).to_contain_text(re.compile(r"Frustrated \d+%"))
    await last.locator("details.reading summary").click()
    await expect(last.locator("details.reading table").first).to_be_visible()
    evidence = transcript.locator(".decision[data-act=handoff] li")  # which, is the policy's affair
    await expect(evidence.first).to_contain_text(re.compile(r"counts from"))
    brief = alice.locator("#brief")
    await expect(brief).to_contain_text("HF-20418")
    await expect(brief).to_contain_text("How do I track my order?")  # what the bot tried
    curve = brief.locator("svg.mood-curve")
    await expect(curve).to_have_attribute("aria-label", re.compile(r"Mood over 3 customer messages: frustrated from"))
    await expect(curve.locator("line.called")).to_have_count(1)
    evidence = brief.locator("section", has_text="Why it came").locator("a[data-message]").first
    await expect(evidence).to_be_visible()
    await evidence.click()
    await expect(transcript.locator(".revealed")).to_contain_text(ANGER[1])
    await brief.locator(".mood-table summary").click()
    await expect(brief.locator(".mood-table tbody tr")).to_have_count(3)

    # she takes it while a colleague's click is under way on a slow line; he reads who has it
    bob = await stage.staff(BOB, f"/console/?chat={conversation}")
    may_go = asyncio.Event()

    async def slow(route: Route) -> None:
        await may_go.wait()
        await route.continue_()

    await bob.route("**/assignee", slow)
    async with bob.expect_request("**/assignee"):
        await bob.locator("[data-verb=take]").click()
    await alice.locator("[data-verb=take]").click()
    await expect(alice.locator("#chat-status")).to_have_text("With you")
    may_go.set()
    await expect(bob.locator("#action-problem")).to_have_text("Already taken by Alice.")
    await expect(bob.locator("[data-lane=others] button.card")).to_contain_text("Alice")
    await expect(bob.locator("#actions button")).to_have_count(0)
    await expect(alice).to_have_title("Warmline")
    await expect(alice.locator("[data-lane=mine] button.card")).to_have_count(1)
    await expect(chat.find("#status")).to_have_text("You are talking to Alice")
    await expect(chat.find("#person-state")).to_be_hidden()

    # a note for colleagues, a reply for the customer
    await expect(alice.locator("#draft")).to_be_focused()
    await alice.keyboard.press("Escape")
    await alice.keyboard.press("e")
    await expect(alice.locator("#draft-label")).to_have_text("Note, only staff")
    await alice.fill("#draft", NOTE)
    await alice.press("#draft", "Enter")
    await expect(transcript.locator("li.message.note[id^=m-]")).to_contain_text(NOTE)
    await alice.keyboard.press("Escape")
    await alice.keyboard.press("r")
    await expect(alice.locator("#draft-label")).to_have_text("Reply to the customer")
    await alice.fill("#draft", REPLY)
    await alice.click("#send")
    await expect(chat.said("agent")).to_have_text([REPLY])
    await expect(chat.find("#log li[data-author=agent] .who")).to_have_text("Alice, our team")
    await expect(bob.locator("#transcript li.message.note")).to_contain_text(NOTE)

    # while she has it the bot reads and keeps silent
    await chat.field.fill("thank you, that would help")
    await chat.field.press("Enter")
    await expect(
        transcript.locator("li.message.customer", has_text="that would help").locator("details")
    ).to_be_visible()
    await expect(chat.find("#typing")).to_be_hidden()
    spoken = await twice_the_same(chat.all.all_inner_texts)
    assert NOTE not in "\n".join(spoken)

    # she resolves it; the customer writes again, and the bot is back
    await alice.locator("[data-verb=resolve]").click()
    await expect(alice.locator("#chat-status")).to_contain_text("Resolved")
    await expect(chat.find("#status")).to_contain_text("This chat was closed; write to open it again.")
    await expect(alice.locator("[data-lane=mine] .empty")).to_be_visible()
    before = await chat.said("bot").count()
    await chat.write("Do you ship to Ireland?")
    await expect(chat.said("bot")).to_have_count(before + 1)
    await expect(chat.find("#status")).to_have_text("Automatic assistant (bot)")
    await expect(alice.locator("#chat-status")).to_have_text("With the bot")
    await expect(alice.locator("[data-lane=bot] button.card")).to_have_count(1)
    await expect(transcript.locator("li.bot")).to_have_count(before + 1)

    order = await told_order(alice)
    from_taken_to_return = order[order.index("taken") : order.index("reopened")]
    assert "bot" not in from_taken_to_return
    assert from_taken_to_return.count("agent") == 2  # the note and the reply
    assert "bot" in order[order.index("reopened") :]
    assert NOTE not in await chat.find("body").inner_text()

    # a reload shows the customer the same, and the note never reached that browser
    said = await chat.all.locator(".text").all_inner_texts()
    bodies = [m["text"] for m in (await _seen_by_customer(stage, chat))["messages"]]
    assert NOTE not in bodies
    assert len(bodies) == len(said)


async def _seen_by_customer(stage: Stage, chat: ChatPage) -> dict[str, list[dict[str, str]]]:
    session = await chat.session()
    headers = {"Authorization": f"Bearer {session['token']}"}
    answer = await stage.http.get(f"/api/chat/conversations/{session['id']}", headers=headers)
    seen: dict[str, list[dict[str, str]]] = answer.raise_for_status().json()
    return seen


async def test_talk_to_a_person_needs_one_press_and_comes_to_the_owners_review(stage: Stage) -> None:
    shop = await (await stage.context(viewport={"width": 320, "height": 640})).new_page()
    await shop.goto("/shop/")
    chat = await open_widget_by_keyboard(shop)
    await has_no_sideways_scroll(shop)
    await expect(shop.get_by_role("button", name="Close chat")).to_be_visible()
    await chat.find("#ask-person").focus()
    await shop.keyboard.press("Enter")
    await expect(chat.find("body")).to_have_attribute("data-status", "waiting")
    await expect(chat.field).to_be_focused()

    # nobody is there: said plainly, and no answer by mail is promised where none can be sent
    await expect(chat.find("#person-state")).to_have_text("Nobody is at the desk right now")
    await expect(chat.said("system").last).to_contain_text("The answer will be here when you come back to this chat.")
    await chat.find("#introduce-summary").click()
    await chat.find("#email").fill("cora@example")
    await chat.find("#email").press("Enter")
    await expect(chat.find("#introduce-said")).to_have_text("That e-mail address does not look right.")
    await chat.find("#email").fill("cora@example.com")
    await chat.find("#name").fill("Cora")
    await chat.find("#name").press("Enter")
    await expect(chat.find("#introduce-said")).to_have_text("Saved, thank you.")
    await expect(chat.find("#introduce-summary")).to_have_text("You are Cora, cora@example.com. Change")

    # the widget is closed; the agent's answer shows on its button
    await shop.keyboard.press("Escape")
    await expect(shop.get_by_role("button", name="Chat with us", exact=True)).to_be_focused()
    alice = await stage.staff(ALICE)
    await expect(alice.locator("[data-lane=offered] button.card")).to_contain_text("Asked for a person")
    conversation = (await chat.session())["id"]
    await stage.take(ALICE, conversation)
    await stage.reply(ALICE, conversation, "Hello Cora, how can I help?")
    await expect(shop.get_by_role("button", name=re.compile(r"Chat with us, \d new messages"))).to_be_visible()
    await shop.keyboard.press("Enter")
    await expect(chat.said("agent")).to_have_text(["Hello Cora, how can I help?"])
    await shop.keyboard.press("Escape")
    await expect(shop.get_by_role("button", name="Chat with us", exact=True)).to_be_visible()

    olga = await stage.staff(OLGA, "/review/")
    card = olga.locator("#escalations button.card")
    await expect(card).to_contain_text("Asked for a person")
    await expect(card).to_contain_text("Cora")
    await expect(card).to_contain_text("Alice after")
    await card.click()
    await expect(olga.locator("#detail-facts")).to_contain_text("Called by the customer")
    await expect(olga.locator("#transcript")).to_contain_text("Hello Cora, how can I help?")
