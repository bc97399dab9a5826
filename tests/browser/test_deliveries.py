"""The owner's page of what leaves the house, and the way back by a mail's link, in a real browser."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from standardwebhooks import Webhook

from tests.browser.stage import CHAT, ChatPage, Served, Stage, has_no_sideways_scroll
from tests.browser.test_axe import examine
from tests.conftest import ALICE, BOB, CORA, OLGA, open_database
from tests.outbox.receivers import Mailbox, post_office, receiving
from tests.serving import eventually, hire

pytestmark = pytest.mark.asyncio(loop_scope="session")


@dataclass
class Reaching:
    """A stage whose server may call this machine and has a post office."""

    stage: Stage
    mailbox: Mailbox


@pytest_asyncio.fixture(loop_scope="session")
async def reaching(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Reaching]:
    mailbox = Mailbox()
    async with post_office(mailbox) as smtp:
        env = {
            "WARMLINE_WEBHOOK_ALLOW_PRIVATE": "1", "WARMLINE_SMTP_URL": smtp, "WARMLINE_MAIL_FROM": "chat@shop.example",
            "WARMLINE_UNSEEN_AFTER": "4", "WARMLINE_DELIVERY_TIMEOUT": "5", "WARMLINE_EMOTION_MODEL": "rules",
        }  # fmt: skip
        server = Served(tmp_path_factory.mktemp("reaching"), **env)
        try:
            await server.start()
            async with open_database(server.database) as db:
                await hire(db, ALICE, BOB, OLGA)
                async with Stage(server.address, db, chromium) as stage:
                    yield Reaching(stage, mailbox)
                assert stage.problems == []
        finally:
            server.stop()


async def add(page: Page, url: str) -> str:
    """Add an endpoint as a person would; gives the secret that is shown."""
    await page.locator("#add summary").click()
    await page.fill("#add-url", url)
    await page.get_by_role("button", name="Add endpoint").click()
    await expect(page.locator("#secret")).to_be_focused()
    return await page.locator("#secret").input_value()


async def test_the_owner_adds_tests_mends_and_deletes_an_endpoint(reaching: Reaching) -> None:
    async with receiving("410") as receiver:
        page = await reaching.stage.staff(OLGA, "/deliveries/")
        await expect(page.locator("#endpoints-empty")).to_contain_text("None yet")
        await expect(page.locator("#list-message")).to_have_text("Nothing has left the house so far.")
        await expect(page.locator("#ways")).to_contain_text("E-mail is set up")
        await examine(page, "deliveries, none yet")

        await page.locator("#add summary").click()
        await page.get_by_role("button", name="Add endpoint").click()
        await expect(page.locator("#add-url-problem")).to_have_text("Your address is missing.")
        await page.fill("#add-url", "nonsense")
        await page.get_by_role("button", name="Add endpoint").click()
        await expect(page.locator("#add-url-problem")).to_have_text("This does not look like a web address.")
        await page.fill("#add-url", "https://user:secret@hooks.example/")
        await page.get_by_role("button", name="Add endpoint").click()
        await expect(page.locator("#add-problem")).to_contain_text("must not hold a user name")
        await examine(page, "deliveries, adding")
        await page.locator("#add summary").click()

        secret = await add(page, receiver.url)
        assert secret.startswith("whsec_")
        card = page.locator("#endpoints li")
        await expect(card).to_contain_text("Enabled")
        await card.get_by_role("button", name="Send a test").click()
        await expect(card).to_contain_text("410 Gone")
        await expect(page.locator("#list li")).to_contain_text("Given up")
        await examine(page, "deliveries, an endpoint that is gone")
        await page.locator("#list li").get_by_role("button", name="Send again").click()
        await expect(page.locator("#problem")).to_contain_text("Enable it first")

        await card.get_by_role("button", name="Enable").click()
        await expect(card).to_contain_text("Enabled")
        await page.locator("#list li").get_by_role("button", name="Send again").click()
        await expect(page.locator("#list li")).to_contain_text("Delivered")
        assert receiver.ids[0] == receiver.ids[1]
        Webhook(secret).verify(receiver.came[1].body, receiver.came[1].headers)

        await page.reload()
        await expect(card).to_have_count(1)
        assert secret not in await page.content()
        await page.select_option("#f-status", "dead")
        await expect(page.locator("#list-message")).to_have_text("Nothing fits these filters.")
        await page.select_option("#f-status", "")
        for width in (1280, 320):
            await page.set_viewport_size({"width": width, "height": 800})
            await has_no_sideways_scroll(page)

        await card.get_by_role("button", name="Delete").click()
        await examine(page, "deliveries, sure to delete?")
        await page.locator("#sure").get_by_role("button", name="Keep it").click()
        await expect(card).to_have_count(1)
        await card.get_by_role("button", name="Delete").click()
        await page.locator("#sure").get_by_role("button", name="Delete").click()
        await expect(card).to_have_count(0)
        await expect(page.locator("#list li")).to_have_count(0)


async def test_an_agent_is_shown_the_way_to_the_console(reaching: Reaching) -> None:
    page = await reaching.stage.staff(ALICE, "/deliveries/")
    await expect(page.locator("#not-owner")).to_be_visible()
    await expect(page.locator("#owner")).to_be_hidden()
    await page.goto("/console/")
    await expect(page.locator("#me")).to_have_text("Alice")
    await expect(page.locator("#deliveries-link")).to_be_hidden()


async def test_a_customer_comes_back_by_the_link_in_the_mail(reaching: Reaching) -> None:
    stage, mailbox = reaching.stage, reaching.mailbox
    chat = await stage.customer()
    await chat.say("Can I cancel my order?")
    await chat.find("#introduce-summary").click()
    await chat.find("#transcript").check()
    await chat.find("#introduce-form button").click()
    await expect(chat.find("#introduce-said")).to_have_text(
        "Your e-mail address is needed to send you the conversation."
    )
    await expect(chat.find("#email")).to_be_focused()
    await examine(chat.page, "chat, leaving an address")
    await chat.find("#email").fill(CORA.email)
    await chat.find("#introduce-form button").click()
    await expect(chat.find("#introduce-said")).to_have_text("Saved, thank you.")
    conversation = (await chat.session())["id"]
    await stage.take(ALICE, conversation)
    await stage.reply(ALICE, conversation, "Are you there?")
    await expect(chat.said("agent")).to_have_text("Are you there?")
    await chat.page.close()
    await asyncio.sleep(0.5)  # a closed page's connection ends a moment later
    await stage.reply(ALICE, conversation, "It is cancelled.")
    await eventually(lambda: mailbox.came, "the mail")
    body = mailbox.came[0].get_body(("plain",))
    assert body
    text = body.get_content()
    assert "It is cancelled." in text
    assert "Are you there?" not in text.partition("The conversation so far")[0]
    (link,) = re.findall(r"http\S+#back=\S+", text)

    page = await (await stage.context()).new_page()  # another device, which has a chat of its own
    other = await ChatPage(page).opened()
    assert (await other.session())["id"] != conversation
    await page.goto("about:blank")
    await page.goto(link)
    await expect(other.said("agent").last).to_have_text("It is cancelled.")
    assert (await other.session())["id"] == conversation
    assert page.url == f"{stage.address}{CHAT}"
    await other.write("Thank you!")
    await expect(other.said("customer").last).to_have_text("Thank you!")

    await page.goto("about:blank")
    await page.goto(f"{stage.address}{CHAT}#back=used-up")
    await expect(other.find("#notice-text")).to_contain_text("This link is over")
    await expect(other.said("agent").last).to_have_text("It is cancelled.")

    await stage.resolve(ALICE, conversation)
    await eventually(lambda: len(mailbox.came) == 2, "the transcript")
    assert mailbox.came[1]["Subject"] == "Your conversation – Hazel & Finch"


async def test_a_page_around_the_chat_cannot_choose_the_conversation(reaching: Reaching) -> None:
    stage = reaching.stage
    chat = await stage.customer()
    mine = (await chat.session())["id"]
    page = await chat.page.context.new_page()
    await page.goto("/shop/")
    await page.evaluate(
        "src => document.body.append(Object.assign(document.createElement('iframe'), {src, id: 'framed'}))",
        f"{CHAT}#back=anything",
    )
    handle = await page.locator("#framed").element_handle()
    frame = await handle.content_frame()
    assert frame
    framed = ChatPage(page, frame)
    await expect(framed.said("bot").first).to_be_visible()
    assert (await framed.session())["id"] == mine
    await expect(framed.find("#notice")).to_be_hidden()
