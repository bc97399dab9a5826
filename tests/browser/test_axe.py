"""axe finds nothing to complain of: every page, in what it can be in, light and dark, and as narrow as 320 px."""

from collections.abc import Sequence
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Frame, Page, expect

from tests.browser.stage import ChatPage, Stage
from tests.conftest import ALICE, BOB, OLGA

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDE, NARROW = 1280, 320
OPTIONS = {"resultTypes": ["violations"], "iframes": False}  # the widget's frame is examined by itself
axe = Axe()


async def violations(page: Page | Frame) -> list[dict[str, Any]]:
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(axe.axe_script)
    found: list[dict[str, Any]] = await page.evaluate("async options => (await axe.run(options)).violations", OPTIONS)
    return found


async def examine(page: Page, state: str, frame: Frame | None = None, widths: Sequence[int] = (WIDE, NARROW)) -> None:
    """Nothing is wrong in light and dark; once again where it is narrow, which changes places and not colours."""
    found = []
    for width in widths:
        await page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark") if width == WIDE else ("light",):
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            for one in await violations(frame or page):
                where = [node["target"] for node in one["nodes"]]
                why = one["nodes"][0].get("failureSummary", "")
                found.append(f"{state}, {width} px, {scheme}: {one['id']} ({one['impact']}) at {where}: {why}")
    await page.set_viewport_size({"width": WIDE, "height": 800})
    assert not found, "\n".join(found)


async def test_shop_and_widget(stage: Stage) -> None:
    page = await (await stage.context()).new_page()
    for path in ("/shop/", "/shop/track"):
        await page.goto(path)
        await expect(page.get_by_role("button", name="Chat with us")).to_be_visible()
        await examine(page, path)
    await page.get_by_role("button", name="See where it is").click()
    await page.get_by_role("button", name="Chat with us").click()
    handle = await page.locator("iframe[title=Chat]").element_handle()
    frame = await handle.content_frame()
    assert frame
    await expect(ChatPage(page, frame).said("bot")).to_be_visible()
    await examine(page, "shop with the widget open")
    await examine(page, "the chat in the widget", frame)


async def test_chat(stage: Stage) -> None:
    chat = await stage.customer()
    await examine(chat.page, "fresh chat")
    for _ in range(2):
        await chat.say("Can I cancel my order?")
    await expect(chat.find("#replies button").first).to_be_visible()
    await chat.find("#introduce-summary").click()
    await examine(chat.page, "chat with messages and buttons")
    await chat.page.context.set_offline(True)
    await chat.write("one more thing")
    await expect(chat.find("#log li[data-state=failed]")).to_be_visible()
    await expect(chat.find("#connection")).to_be_visible()
    await chat.field.fill("x" * 16_001)
    await examine(chat.page, "chat offline with a failed and a long message")
    await chat.field.fill("")
    await chat.page.context.set_offline(False)
    await expect(chat.find("#log li[data-state]")).to_have_count(0)
    await expect(chat.find("#typing")).to_be_hidden()
    if await chat.find("#ask-person").is_visible():  # unless the bot has called one by now
        await chat.find("#ask-person").click()
    await expect(chat.find("#person-state")).to_be_visible()
    await examine(chat.page, "chat that waits")
    conversation = (await chat.session())["id"]
    await stage.take(ALICE, conversation)
    await stage.reply(ALICE, conversation, "Hello, see https://example.com/help or write to me@example.com.")
    await expect(chat.said("agent")).to_be_visible()
    await examine(chat.page, "chat with an agent")
    await stage.resolve(ALICE, conversation)
    await expect(chat.find("body")).to_have_attribute("data-status", "resolved")
    await examine(chat.page, "resolved chat", widths=[WIDE])


async def test_doors(stage: Stage) -> None:
    page = await (await stage.context()).new_page()
    await page.goto("/login")
    await examine(page, "log-in")
    await page.get_by_role("button", name="Log in").click()
    await expect(page.locator("#email-problem")).not_to_be_empty()
    await examine(page, "log-in with problems", widths=[WIDE])
    invitation = await stage.as_staff(OLGA, "POST", "/api/invitations", role="owner")
    await page.goto(invitation["url"])
    await examine(page, "invitation")
    await page.goto("/invitation/used-up")
    await examine(page, "used-up invitation", widths=[WIDE])


async def test_console(stage: Stage) -> None:
    page = await stage.staff(ALICE)
    await expect(page.locator("[data-lane=waiting] .empty")).to_be_visible()
    await examine(page, "console, nobody there")

    cora, dan, eva = [await stage.visitor(name) for name in ("Cora", None, "Eva")]
    await cora.say("where is my parcel? order HF-20418", "I am so angry, this is the worst shop ever")
    for visitor in (cora, dan):
        await visitor.ask_for_person()
    await stage.take(BOB, dan.id)
    await eva.say("How much is gift wrapping?")
    await expect(page.locator("[data-lane=others] button.card")).to_have_count(1)
    await page.locator("#bot-title").click()
    await page.locator(f'button.card[data-conversation="{cora.id}"]').click()
    await expect(page.locator("svg.mood-curve")).to_be_visible()
    await page.locator("details.reading summary").first.click()
    await page.locator(".mood-table summary").click()
    await examine(page, "console, a waiting chat open", widths=[WIDE])
    await examine(page, "console, a waiting chat open", widths=[NARROW])

    await page.locator("[data-verb=take]").click()
    await expect(page.locator("#chat-status")).to_have_text("With you")
    await stage.reply(ALICE, cora.id, "Hello Cora")
    await page.locator("#note-toggle").click()
    await page.fill("#draft", "a note")
    await page.press("#draft", "Enter")
    await expect(page.locator("#transcript li.note[id^=m-]")).to_be_visible()
    await examine(page, "console, one's own chat open")
    await page.locator("#show-keys").click()
    await examine(page, "console, the list of keys", widths=[WIDE])


async def test_review(stage: Stage) -> None:
    page = await stage.staff(OLGA, "/review/")
    await expect(page.locator("#list-message")).to_have_text("No person was called so far.")
    await page.locator("#invite summary").click()
    await page.get_by_role("button", name="Make a link").click()
    await expect(page.locator("#invite-url")).to_be_visible()
    await examine(page, "review, empty")

    cora, dan = [await stage.visitor(name) for name in ("Cora", None)]
    await cora.say("where is my parcel? order HF-20418", "can I talk to a real person please, not a bot")
    await dan.ask_for_person()
    await page.goto("/review/")
    await page.locator("#escalations button.card", has_text="Cora").click()
    await expect(page.locator("#detail-mood svg.mood-curve")).to_be_visible()
    await page.locator("button[data-verdict=right]").click()
    await expect(page.locator("#verdict-saved")).to_have_text("Stored.")
    await page.fill("#verdict-note", "a note")
    await examine(page, "review, an escalation open")
    agent = await stage.staff(ALICE, "/review/")
    await expect(agent.locator("#not-owner")).to_be_visible()
    await examine(agent, "review, for an agent", widths=[WIDE])
