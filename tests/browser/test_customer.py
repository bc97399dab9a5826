"""The chat in a customer's browser: nothing typed is lost, nothing said is doubled, everything can be read."""

import asyncio
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from playwright.async_api import BrowserContext, Dialog, Page, Route, expect

from app.web.deps import CUSTOMER_TOKEN_LASTS
from conversations.tables import conversations
from tests.app.process import Process
from tests.browser.stage import CHAT, KEPT, WORRIED, ChatPage, Line, Stage, has_no_sideways_scroll, twice_the_same
from tests.conftest import ALICE, open_database
from tests.serving import SECRET, SHOP

pytestmark = pytest.mark.asyncio(loop_scope="session")

QUESTION = "How much is gift wrapping?"
ANSWER = "gift wrapping costs £4.50"


async def texts(chat: ChatPage) -> list[str]:
    """Everything in the transcript, as read."""
    return await chat.find("#log li.message .text").all_inner_texts()


async def stored(stage: Stage, chat: ChatPage, author: str = "customer") -> list[str]:
    """What the server has of somebody."""
    session = await chat.session()
    answer = await stage.http.get(f"/api/chat/conversations/{session['id']}",
                                  headers={"Authorization": f"Bearer {session['token']}"})  # fmt: skip
    return [m["text"] for m in answer.raise_for_status().json()["messages"] if m["author"] == author]


async def test_reload_keeps_transcript_and_draft(stage: Stage) -> None:
    chat = await stage.customer()
    await chat.say(QUESTION)
    await expect(chat.said("bot").last).to_contain_text(ANSWER)
    before = await texts(chat)
    await chat.field.fill("half a thou")
    await chat.page.reload()
    await expect(chat.all).to_have_count(len(before))
    assert await texts(chat) == before
    await expect(chat.field).to_have_value("half a thou")
    await chat.page.keyboard.press("Tab")
    assert await stored(stage, chat) == [QUESTION]


async def test_what_is_written_offline_is_kept_and_sent_once(stage: Stage) -> None:
    async with Line(stage.address) as line, stage.at(line.address) as here:
        chat = await here.customer()
        line.sleep()
        await chat.page.context.set_offline(True)
        for text in ("first", "second", "a slip"):
            await chat.write(text)
        failed = chat.find("#log li[data-state=failed]")
        await expect(failed).to_have_count(3)
        await expect(failed.first).to_contain_text("Not sent. You are offline. It is kept and tried again.")
        await expect(chat.find("#connection")).to_contain_text("You are offline. What you write is kept")
        await failed.filter(has_text="a slip").get_by_role("button", name="Delete").click()
        await expect(failed).to_have_count(2)
        await expect(chat.field).to_be_focused()
        await failed.first.get_by_role("button", name="Retry").click()  # no use yet, and no harm
        assert await chat.unsent() == 2
        assert await stored(stage, chat) == []

        line.wake()
        await chat.page.context.set_offline(False)
        await expect(chat.said("customer")).to_have_text(["first", "second"])
        await expect(chat.find("#log li[data-state]")).to_have_count(0)
        await expect(chat.find("#connection")).to_be_hidden()
        await expect(chat.find("#typing")).to_be_hidden()
        shown = await twice_the_same(lambda: texts(chat))
        assert await stored(stage, chat) == ["first", "second"]
        assert [t for t in shown if t in ("first", "second")] == ["first", "second"]
        assert await chat.unsent() == 0


async def test_answers_lost_on_the_way_double_nothing(stage: Stage) -> None:
    chat = await stage.customer()
    lost = 0

    async def lose_the_answer(route: Route) -> None:
        nonlocal lost
        if lost < 2:
            lost += 1
            await route.fetch()  # it arrives, and nobody hears that it did
            await route.abort()
        else:
            await route.continue_()

    await chat.page.route("**/messages", lose_the_answer)
    await chat.write(QUESTION)
    await expect(chat.said("bot").last).to_contain_text(ANSWER)
    await expect(chat.find("#log li[data-state]")).to_have_count(0)
    assert lost >= 1
    await twice_the_same(lambda: texts(chat))
    assert await stored(stage, chat) == [QUESTION]
    await expect(chat.all.filter(has_text=QUESTION)).to_have_count(1)


async def test_server_killed_in_the_middle_of_a_turn(stage: Stage, tmp_path: Path, migrated_sqlite_url: str) -> None:
    server = Process(tmp_path, migrated_sqlite_url, TEST_READER_SECONDS="0.8", WARMLINE_TURN_LEASE="PT2S")
    await server.start()
    try:
        async with open_database(migrated_sqlite_url) as db, stage.at(server.address, db) as here:
            chat = await here.customer()
            await chat.write("where is my parcel")
            await expect(chat.find("#typing")).to_be_visible()  # exactly while a turn is under way
            server.kill()
            await chat.write("how do returns work")
            await expect(chat.find("#log li[data-state=failed]")).to_contain_text("how do returns work")
            await chat.field.fill("and one more th")
            await server.start()
            await expect(chat.said("customer")).to_have_text(["where is my parcel", "how do returns work"])
            await expect(chat.said("bot")).not_to_have_count(1)
            await expect(chat.find("#typing")).to_be_hidden()
            shown = await twice_the_same(lambda: texts(chat), after=1.5)
            assert await stored(here, chat) == ["where is my parcel", "how do returns work"]
            assert len(await stored(here, chat, "bot")) == await chat.said("bot").count()
            assert len(set(shown)) == len(shown)
            assert await chat.unsent() == 0
            await expect(chat.field).to_have_value("and one more th")
    finally:
        server.stop()


async def test_two_tabs_show_the_same_and_double_nothing(stage: Stage) -> None:
    context = await stage.context()
    tabs = [ChatPage(await context.new_page()) for _ in range(2)]
    await asyncio.gather(*(tab.opened() for tab in tabs))
    one, two = tabs
    assert await one.session() == await two.session()
    async with stage.db.read() as conn:
        assert await conn.scalar(sa.select(sa.func.count()).select_from(conversations)) == 1

    await asyncio.gather(one.write("hello from the left"), two.write("hello from the right"))
    for tab in tabs:
        await expect(tab.said("customer")).to_have_count(2)
    await one.say(QUESTION)
    await expect(two.said("bot").last).to_contain_text(ANSWER)
    shown = await twice_the_same(lambda: texts(one))
    assert await texts(two) == shown
    assert sorted(await stored(stage, one)) == sorted(["hello from the left", "hello from the right", QUESTION])

    # the line goes, both write, it comes back: each message once, the same order on both sides
    await context.set_offline(True)
    await one.write("left again")
    await two.write("right again")
    for tab in tabs:
        await expect(tab.find("#log li[data-state=failed]")).to_have_count(2)
    await context.set_offline(False)
    for tab in tabs:
        await expect(tab.said("customer")).to_have_count(5)
        await expect(tab.find("#log li[data-state]")).to_have_count(0)
        await expect(tab.find("#typing")).to_be_hidden()
    assert (await stored(stage, one))[3:] == ["left again", "right again"]
    shown = await twice_the_same(lambda: texts(one))
    assert await texts(two) == shown
    assert await one.unsent() == 0


async def test_after_a_sleep_the_chat_catches_up_without_doubling(stage: Stage) -> None:
    async with Line(stage.address) as line, stage.at(line.address) as here:
        chat = await here.customer()
        await chat.say(QUESTION)
        conversation = (await chat.session())["id"]
        await stage.take(ALICE, conversation)
        await expect(chat.find("#status")).to_have_text("You are talking to Alice")

        line.sleep()
        await chat.page.context.set_offline(True)
        for text in ("Are you there?", "I have wrapped it for you."):
            await stage.reply(ALICE, conversation, text)
        await chat.write("sorry, my train was in a tunnel")
        await expect(chat.find("#log li[data-state=failed]")).to_have_count(1)
        await expect(chat.said("agent")).to_have_count(0)

        line.wake()
        await chat.page.context.set_offline(False)
        await expect(chat.said("agent")).to_have_text(["Are you there?", "I have wrapped it for you."])
        await expect(chat.said("customer").last).to_have_text("sorry, my train was in a tunnel")
        await expect(chat.find("#connection")).to_be_hidden()
        shown = await twice_the_same(lambda: texts(chat))
        assert len(set(shown)) == len(shown)
        await chat.page.reload()
        await expect(chat.all).to_have_count(len(shown))
        assert await texts(chat) == shown


HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script><b>bold</b> &amp; javascript:alert(3)'


async def test_html_stays_text_everywhere(stage: Stage) -> None:
    chat = await stage.customer()
    dialogs: list[Dialog] = []
    alice = await stage.staff(ALICE)

    async def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog)
        await dialog.dismiss()

    for page in (chat.page, alice):
        page.on("dialog", dismiss)
    await chat.say(HOSTILE)
    await chat.find("#introduce-summary").click()
    await chat.find("#name").fill("<i>Cora</i>")
    await chat.find("#name").press("Enter")
    await expect(chat.find("#introduce-summary")).to_contain_text("You are <i>Cora</i>.")
    conversation = (await chat.session())["id"]
    await stage.take(ALICE, conversation)
    await stage.reply(ALICE, conversation, HOSTILE)
    await expect(chat.said("agent")).to_have_text([HOSTILE])
    await expect(chat.said("customer")).to_have_text([HOSTILE])
    await expect(chat.find("#log").locator("img, script, b, i")).to_have_count(0)
    await chat.page.reload()
    await expect(chat.said("agent")).to_have_text([HOSTILE])
    await expect(chat.find("#log").locator("img, script, b, i")).to_have_count(0)

    await alice.locator("button.card").click()
    await expect(alice.locator("#chat-title")).to_have_text("<i>Cora</i>")
    await expect(alice.locator("#transcript li.customer .text")).to_have_text([HOSTILE])
    await expect(alice.locator("#brief")).to_contain_text("<script>")
    await expect(alice.locator("#desk").locator("img, script, b, i")).to_have_count(0)
    assert dialogs == []


async def test_right_to_left_and_thousands_of_emoji(stage: Stage) -> None:
    chat = await stage.customer(viewport={"width": 320, "height": 640})
    hebrew = "שלום, איפה החבילה שלי?"
    emoji = "😀👩‍🚒" * 1250  # 5,000 code points
    assert len(emoji) == 5000
    await chat.say(hebrew)
    direction = await chat.said("customer").first.evaluate(
        "node => { const s = getComputedStyle(node); return s.unicodeBidi === 'plaintext' ? 'auto' : s.direction }"
    )
    assert direction in ("auto", "rtl")
    await chat.say(emoji)
    await expect(chat.field).to_have_value("")
    assert await stored(stage, chat) == [hebrew, emoji]
    await has_no_sideways_scroll(chat.page)


async def test_a_message_that_is_too_long_is_warned_about_and_never_cut(stage: Stage) -> None:
    chat = await stage.customer()
    hint = chat.find("#text-hint")
    await chat.field.fill("😀" * 9000)  # more than 16,000 units of UTF-16, but only 9,000 characters
    await expect(hint).to_be_hidden()
    await chat.field.fill("x" * 16_001)
    await expect(hint).to_contain_text("16,001 of 16,000 characters. That is too long to send at once.")
    await expect(chat.field).to_have_attribute("aria-invalid", "true")
    await chat.field.press("Enter")
    await chat.find("#send").click()
    await expect(chat.field).to_have_value("x" * 16_001)
    await expect(chat.find("#log li[data-author=customer]")).to_have_count(0)
    await chat.field.press("Backspace")
    await expect(hint).to_have_text("16,000 of 16,000 characters.")
    await expect(chat.field).to_have_attribute("aria-invalid", "false")
    await chat.field.press("Enter")
    await expect(chat.said("customer")).to_have_text(["x" * 16_000])
    await expect(hint).to_be_hidden()


async def test_enter_sends_and_shift_enter_begins_a_line(stage: Stage) -> None:
    chat = await stage.customer()
    await chat.field.press("Enter")
    await chat.field.press_sequentially("   ")
    await chat.field.press("Enter")
    await expect(chat.find("#log li[data-author=customer]")).to_have_count(0)
    await chat.field.fill("")
    await chat.field.press_sequentially("one")
    await chat.field.press("Shift+Enter")
    await chat.field.press_sequentially("two")
    await expect(chat.field).to_have_value("one\ntwo")
    await chat.field.press("Enter")
    await expect(chat.said("customer")).to_have_count(1)
    assert await stored(stage, chat) == ["one\ntwo"]
    assert await chat.said("customer").first.inner_text() == "one\ntwo"
    await expect(chat.field).to_be_focused()
    await expect(chat.field).to_have_value("")


async def test_new_messages_are_read_out_and_old_ones_are_not(stage: Stage) -> None:
    chat = await stage.customer()
    log = chat.find("#log")
    await expect(log).to_have_attribute("role", "log")
    await expect(log).to_have_attribute("aria-live", "polite")
    await chat.page.evaluate(
        """() => { window.added = []; new MutationObserver(all => all.forEach(m => m.addedNodes.forEach(n =>
            window.added.push(n.dataset.author)))).observe(document.querySelector('#messages'), {childList: true}) }"""
    )
    await chat.say(QUESTION)
    await expect(log.locator("[aria-live], [role=status], [role=alert]")).to_have_count(0)
    # each node is put in once: a node that is moved would be read out again
    assert await chat.page.evaluate("window.added") == ["customer", "bot"]
    await chat.page.reload()
    await expect(chat.all).to_have_count(3)


async def reach_an_offer(chat: ChatPage) -> None:
    """Much is at stake, and nobody is at the desk: the bot offers a person, or to answer by e-mail."""
    await chat.say(WORRIED)
    await expect(chat.find("#replies button")).to_have_count(2)


async def test_an_offer_accepted_by_its_button(stage: Stage) -> None:
    chat = await stage.customer(viewport={"width": 320, "height": 640})
    await reach_an_offer(chat)
    await has_no_sideways_scroll(chat.page)
    await chat.find("#replies [data-kind=accept]").click()
    await expect(chat.find("body")).to_have_attribute("data-status", "waiting")
    await expect(chat.find("#replies")).to_be_hidden()
    await expect(chat.said("system").last).to_be_visible()
    await expect(chat.field).to_be_focused()


async def test_an_offer_declined_by_its_button(stage: Stage) -> None:
    chat = await stage.customer()
    await reach_an_offer(chat)
    await chat.find("#replies [data-kind=decline]").click()
    await expect(chat.find("#replies")).to_be_hidden()
    await expect(chat.said("system")).to_have_count(1)
    await expect(chat.find("body")).to_have_attribute("data-status", "bot")
    await chat.say("Do you ship to Ireland?")
    await expect(chat.find("#replies [data-kind=decline]")).to_have_count(0)
    await chat.page.reload()
    await expect(chat.said("system")).to_have_count(1)
    await expect(chat.find("#replies [data-kind=decline]")).to_have_count(0)


async def test_an_offer_declined_in_words(stage: Stage) -> None:
    chat = await stage.customer()
    await reach_an_offer(chat)
    await chat.say("no thanks")
    await expect(chat.find("#replies [data-kind=decline]")).to_have_count(0)
    await expect(chat.find("body")).to_have_attribute("data-status", "bot")


async def test_a_suggested_question_is_asked_by_its_button(stage: Stage) -> None:
    chat = await stage.customer()
    await chat.say(QUESTION)
    suggestion = chat.find("#replies button[data-kind=ask]").first
    label = await suggestion.inner_text()
    await suggestion.click()
    await expect(chat.said("customer").last).to_have_text(label)
    await expect(chat.said("bot")).to_have_count(3)
    await expect(chat.find("#replies button").get_by_text(label, exact=True)).to_have_count(0)


class Earlier(TimestampSigner):
    """Signs as if it were longer ago than tokens last."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() - int(CUSTOMER_TOKEN_LASTS.total_seconds()) - 60


async def expire(chat: ChatPage) -> str:
    """Let the token in this browser be as old as tokens get; returns the conversation it opened."""
    session = await chat.session()
    old = URLSafeTimedSerializer(SECRET, salt="customer", signer=Earlier).dumps(session["id"])
    await chat.page.evaluate(
        "([key, value]) => localStorage.setItem(key, JSON.stringify(value))",
        [f"{KEPT}session", {"id": session["id"], "token": old}],
    )
    return session["id"]


async def test_an_expired_token_starts_anew_and_keeps_what_was_typed(stage: Stage) -> None:
    chat = await stage.customer()
    await chat.say(QUESTION)
    context = chat.page.context
    await context.set_offline(True)
    await chat.write("Do you ship to Ireland?")
    await expect(chat.find("#log li[data-state=failed]")).to_have_count(1)
    await chat.field.fill("and to Fra")
    old = await expire(chat)
    await chat.page.close()  # the token it has in memory is good
    await context.set_offline(False)
    chat = ChatPage(await context.new_page())
    await chat.page.goto(CHAT)
    await expect(chat.find("#notice-text")).to_contain_text("Your earlier chat is over, so this is a new one.")
    await expect(chat.said("customer")).to_have_text(["Do you ship to Ireland?"])
    await expect(chat.said("bot")).to_have_count(2)
    await expect(chat.field).to_have_value("and to Fra")
    assert (await chat.session())["id"] != old
    assert await chat.unsent() == 0
    await chat.find("#notice-close").click()
    await expect(chat.find("#notice")).to_be_hidden()


async def test_a_narrow_window_never_scrolls_sideways(stage: Stage) -> None:
    chat = await stage.customer(viewport={"width": 320, "height": 568})
    await chat.say("https://example.com/" + "a" * 300 + " " + "W" * 300)
    await chat.find("#introduce-summary").click()
    await has_no_sideways_scroll(chat.page)
    await chat.find("#ask-person").click()
    await expect(chat.find("#person-state")).to_be_visible()
    await has_no_sideways_scroll(chat.page)
    for path in ("/shop/", "/shop/track"):
        await chat.page.goto(path)
        await expect(chat.page.get_by_role("button", name="Chat with us")).to_be_visible()
        await has_no_sideways_scroll(chat.page)


async def test_typing_is_never_shown_when_nothing_is_due(stage: Stage) -> None:
    chat = await stage.customer()
    typing = chat.find("#typing")
    await expect(typing).to_be_hidden()
    await chat.say(QUESTION)
    await expect(typing).to_be_hidden()
    await chat.page.reload()
    await expect(chat.all).to_have_count(3)
    await expect(typing).to_be_hidden()

    # whatever is written while a person is awaited or there: no bot is at work, so none is shown
    await watch_typing(chat.page)
    await chat.find("#ask-person").click()
    await expect(chat.find("body")).to_have_attribute("data-status", "waiting")
    await chat.write("is somebody there?")
    await expect(chat.said("customer").last).to_have_text("is somebody there?")
    await stage.take(ALICE, (await chat.session())["id"])
    await expect(chat.find("body")).to_have_attribute("data-status", "with_agent")
    await chat.write("hello Alice")
    await expect(chat.said("customer").last).to_have_text("hello Alice")
    await twice_the_same(lambda: texts(chat))
    assert await chat.page.evaluate("window.typed") == 0


async def watch_typing(page: Page) -> None:
    """Count how often the indicator comes up from now on."""
    await page.evaluate(
        """() => { window.typed = 0; const node = document.querySelector('#typing');
            new MutationObserver(() => { if (!node.hidden) window.typed++ }).observe(node, {attributes: true}) }"""
    )


async def test_without_storage_the_chat_still_works(stage: Stage) -> None:
    context: BrowserContext = await stage.context()
    await context.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
    )
    chat = await ChatPage(await context.new_page()).opened()
    await chat.say(QUESTION)
    await expect(chat.said("bot").last).to_contain_text(ANSWER)


async def test_a_shop_that_does_not_exist_is_said_in_words(stage: Stage) -> None:
    page = await (await stage.context()).new_page()
    answer = await page.goto(CHAT.replace(SHOP, "no-such-shop"))
    assert answer is not None
    assert answer.status == 404
    await expect(page.locator("body")).to_contain_text(re.compile(r"shop", re.IGNORECASE))
