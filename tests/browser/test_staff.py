"""The staff's pages: the door, the console by hand and by key, the owner's review."""

import re
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from playwright.async_api import Locator, Page, expect

from app.accounts import sessions
from tests.browser.stage import Line, Stage, Visitor, has_no_sideways_scroll
from tests.conftest import ALICE, BOB, OLGA
from tests.serving import transcript

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def waiting(stage: Stage, *names: str) -> list[Visitor]:
    """Customers who have asked for a person, in this order."""
    visitors = [await stage.visitor(name) for name in names]
    for visitor in visitors:
        await visitor.ask_for_person()
    return visitors


def card_of(page: Page, visitor: Visitor) -> Locator:
    return page.locator(f'button.card[data-conversation="{visitor.id}"]')


def lane(page: Page, name: str) -> Locator:
    return page.locator(f"[data-lane={name}] button.card")


async def holding(stage: Stage, *names: str) -> tuple[Page, list[Visitor]]:
    """Alice at her console with these customers' chats, the first one open."""
    visitors = await waiting(stage, *names)
    for visitor in visitors:
        await stage.take(ALICE, visitor.id)
    page = await stage.staff(ALICE, f"/console/?chat={visitors[0].id}")
    await expect(page.locator("#chat-status")).to_have_text("With you")
    await expect(lane(page, "mine")).to_have_count(len(names))
    return page, visitors


async def said_by_agents(stage: Stage, visitor: Visitor) -> list[tuple[str, str]]:
    """(visibility, text)"""
    messages = await transcript(stage.db, visitor)  # type: ignore[arg-type] # it has the id that is asked for
    return [(m.visibility.value, m.text) for m in messages if m.author.value == "agent"]


# --- the door


async def test_logging_in_says_what_is_wrong_and_leads_back(stage: Stage) -> None:
    (visitor,) = await waiting(stage, "Cora")
    context = await stage.context()
    page = await context.new_page()
    wanted = f"/console/?chat={visitor.id}"
    await page.goto(wanted)
    await expect(page).to_have_url(re.compile(r"/login\?next="))
    assert parse_qs(urlsplit(page.url).query)["next"] == [wanted]

    submit = page.get_by_role("button", name="Log in")
    await expect(page.locator("#email")).to_be_focused()
    await submit.click()
    await expect(page.locator("#email-problem")).to_have_text("Your e-mail address is missing.")
    await expect(page.locator("#password-problem")).to_have_text("Your password is missing.")
    await expect(page.locator("#email")).to_be_focused()
    await page.fill("#email", "alice")
    await submit.click()
    await expect(page.locator("#email-problem")).to_have_text("This does not look like an e-mail address.")
    await page.fill("#email", f"  {ALICE.email.upper()} ")
    await page.fill("#password", "not her password")
    await submit.click()
    await expect(page.locator("#login-problem")).to_have_text("E-mail address or password is wrong.")
    await expect(page.locator("#email-problem")).to_be_empty()
    await page.fill("#password", ALICE.password)
    await page.press("#password", "Enter")
    await expect(page).to_have_url(re.compile(re.escape(wanted)))
    await expect(page.locator("#chat-title")).to_have_text("Cora")
    await expect(page.locator("#me")).to_have_text("Alice")

    # a session that ends while the page is open leads to the door, not into silence
    async with stage.db.unit_of_work() as work:
        await work.conn.execute(sa.delete(sessions))
    await page.keyboard.press("a")
    await expect(page).to_have_url(re.compile(r"/login\?next="))
    await expect(page.locator("#email")).to_be_focused()
    await stage.let_in(context, ALICE)
    await page.goto(wanted)
    await page.locator("#log-out").click()
    await expect(page).to_have_url(re.compile(r"/login"))
    await page.goto("/console/")
    await expect(page).to_have_url(re.compile(r"/login\?next="))


async def test_the_door_leads_nowhere_else(stage: Stage) -> None:
    page = await (await stage.context()).new_page()
    for trap in ("https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)"):
        await page.goto(f"/login?next={trap}")
        where = await page.evaluate("import('/static/staff/form.js').then(form => form.next())")
        assert where == "/console/"


# --- the console


async def test_the_console_by_keyboard(stage: Stage) -> None:
    ann, ben, cas = await waiting(stage, "Ann", "Ben", "Cas")
    page = await stage.staff(ALICE)
    await expect(lane(page, "offered")).to_have_count(3)
    await expect(page).to_have_title("(3) Warmline")
    press = page.keyboard.press

    await press("j")
    await expect(card_of(page, ann)).to_be_focused()
    await press("j")
    await press("ArrowDown")
    await expect(card_of(page, cas)).to_be_focused()
    await press("k")
    await press("ArrowUp")
    await press("k")  # already the first
    await expect(card_of(page, ann)).to_be_focused()
    await press("Enter")
    await expect(page.locator("#chat-title")).to_have_text("Ann")
    await expect(card_of(page, ann)).to_have_attribute("aria-current", "true")

    await press("r")  # not hers yet: nothing to reply to
    await expect(page.locator("#draft")).not_to_be_focused()
    await press("a")
    await expect(page.locator("#chat-status")).to_have_text("With you")
    await expect(page.locator("#draft")).to_be_focused()
    await expect(page.locator("#draft-label")).to_have_text("Reply to the customer")
    await page.keyboard.type("jka? rendst")  # letters while typing
    await expect(page.locator("#draft")).to_have_value("jka? rendst")
    await press("Shift+Enter")
    await page.keyboard.type("second line")
    await press("Enter")
    await expect(page.locator("#transcript li.agent[id^=m-]")).to_have_count(1)
    assert await said_by_agents(stage, ann) == [("public", "jka? rendst\nsecond line")]

    await press("Escape")
    await expect(page.locator("#transcript")).to_be_focused()
    await press("e")
    await expect(page.locator("#draft-label")).to_have_text("Note, only staff")
    await expect(page.locator("#note-toggle")).to_have_attribute("aria-pressed", "true")
    await page.keyboard.type("be kind")
    await press("Enter")
    await expect(page.locator("#transcript li.note[id^=m-]")).to_have_count(1)
    await press("Escape")
    await press("r")
    await expect(page.locator("#draft-label")).to_have_text("Reply to the customer")
    await expect(page.locator("#draft")).to_be_focused()
    await press("Escape")

    await press("?")
    keys = page.locator("dialog#keys")
    await expect(keys).to_be_visible()
    await press("a")  # not while a dialog is open
    await page.locator("#keys-on").uncheck()
    await press("Escape")
    await expect(keys).to_be_hidden()
    await press("e")
    await expect(page.locator("#draft")).not_to_be_focused()
    await page.locator("#show-keys").click()
    await page.locator("#keys-on").check()
    await press("Escape")

    # a on a card takes that one
    await press("k")
    await card_of(page, ben).focus()
    await press("a")
    await expect(page.locator("#chat-title")).to_have_text("Ben")
    await expect(page.locator("#chat-status")).to_have_text("With you")
    await expect(lane(page, "mine")).to_have_count(2)
    await expect(lane(page, "offered")).to_have_count(1)


async def test_release_return_and_resolve(stage: Stage) -> None:
    page, (cora,) = await holding(stage, "Cora")
    await page.locator("[data-verb=release]").click()
    await expect(page.locator("#chat-status")).to_have_text("Waiting for a person")
    await expect(lane(page, "waiting")).to_have_count(1)
    await expect(page.locator("#chat-title")).to_be_focused()
    assert (await cora.view())["status"] == "waiting"
    await page.locator("[data-verb=take]").click()
    await expect(page.locator("#chat-status")).to_have_text("With you")

    # something half written would be lost: asked first
    await page.fill("#draft", "half a sent")
    await page.locator("[data-verb=return]").click()
    ask = page.locator("dialog#confirm")
    await expect(ask).to_contain_text("Return to bot with an unsent draft?")
    await ask.get_by_role("button", name="Keep writing").click()
    await expect(page.locator("#draft")).to_have_value("half a sent")
    await expect(page.locator("#chat-status")).to_have_text("With you")
    await page.locator("[data-verb=return]").click()
    await page.locator("#confirm-go").click()
    await expect(page.locator("#chat-status")).to_have_text("With the bot")
    await expect(page.locator("#draft")).to_have_value("")
    view = await cora.view()
    assert view["status"] == "bot"
    assert view["agent_name"] is None
    await cora.say("Do you ship to Ireland?")
    await expect(page.locator("#transcript li.bot")).to_have_count(2)
    await expect(page.locator("#actions [data-verb=take]")).to_have_text("Take over from the bot")
    await page.locator("[data-verb=resolve]").click()
    await expect(page.locator("#chat-status")).to_contain_text("Resolved")
    assert (await cora.view())["status"] == "resolved"


async def test_drafts_are_kept_for_each_chat(stage: Stage) -> None:
    page, (ann, ben) = await holding(stage, "Ann", "Ben")
    await page.fill("#draft", "for Ann")
    await card_of(page, ben).click()
    await expect(page.locator("#chat-title")).to_have_text("Ben")
    await expect(page.locator("#draft")).to_have_value("")
    await page.click("#note-toggle")
    await page.fill("#draft", "about Ben")
    await page.reload()
    await expect(page.locator("#chat-title")).to_have_text("Ben")
    await expect(page.locator("#draft")).to_have_value("about Ben")
    await expect(page.locator("#draft-label")).to_have_text("Note, only staff")
    await card_of(page, ann).click()
    await expect(page.locator("#draft")).to_have_value("for Ann")
    await expect(page.locator("#draft-label")).to_have_text("Reply to the customer")
    await page.go_back()
    await expect(page.locator("#draft")).to_have_value("about Ben")


async def test_a_note_stays_a_note_when_the_customer_writes_before_it_is_begun(stage: Stage) -> None:
    page, (cora,) = await holding(stage, "Cora")
    await page.click("#note-toggle")
    await expect(page.locator("#draft-label")).to_have_text("Note, only staff")
    await cora.say("are you still there?")
    await expect(page.locator("#transcript li.customer")).to_have_count(1)
    await page.keyboard.type("she has been rude before")
    await page.keyboard.press("Enter")
    await expect(page.locator("#transcript li[id^=m-]", has_text="she has been rude before")).to_be_visible()
    assert await said_by_agents(stage, cora) == [("internal", "she has been rude before")]


async def test_a_new_message_in_a_chat_that_is_not_open_is_marked(stage: Stage) -> None:
    page, (_, ben) = await holding(stage, "Ann", "Ben")
    await expect(page.locator(".unseen")).to_have_count(0)
    await ben.say("hello?")
    await expect(card_of(page, ben)).to_contain_text("New message")
    await card_of(page, ben).click()
    await expect(page.locator(".unseen")).to_have_count(0, timeout=5000)  # not only when the desk speaks next


async def test_a_reply_that_did_not_get_through_is_kept_and_sent_once(stage: Stage) -> None:
    async with Line(stage.address) as line, stage.at(line.address) as here:
        page, (cora,) = await holding(here, "Cora")
        await page.context.set_offline(True)
        line.drop()
        await expect(page.locator("#offline")).to_contain_text("The connection is lost. Reconnecting…")
        await page.fill("#draft", "on its way")
        await page.press("#draft", "Enter")
        failed = page.locator("#transcript li[data-state=failed]")
        await expect(failed).to_contain_text("Not sent")
        await page.context.set_offline(False)
        await expect(page.locator("#offline")).to_be_hidden()
        await failed.get_by_role("button", name="Send again").click()
        await expect(failed).to_have_count(0)
        await expect(page.locator("#transcript li.agent[id^=m-]")).to_have_count(1)
        assert await said_by_agents(stage, cora) == [("public", "on its way")]


async def test_sound_can_be_turned_off_and_stays_off(stage: Stage) -> None:
    page = await stage.staff(ALICE)
    await expect(page.locator("#sound-hint")).to_be_visible()
    await page.locator("#sound").click()
    await expect(page.locator("#sound")).to_have_attribute("aria-pressed", "false")
    await expect(page.locator("#sound-hint")).to_be_hidden()
    await page.reload()
    await expect(page.locator("#sound")).to_have_text("Sound off")
    await expect(page.locator("#sound-hint")).to_be_hidden()


async def test_the_console_on_a_phone_shows_one_column_at_a_time(stage: Stage) -> None:
    (cora,) = await waiting(stage, "Cora")
    page = await stage.staff(ALICE, viewport={"width": 320, "height": 640})
    await expect(card_of(page, cora)).to_be_visible()
    await has_no_sideways_scroll(page)
    await card_of(page, cora).click()
    await expect(page.locator("#chat-title")).to_be_focused()
    await expect(page.locator("#queue")).to_be_hidden()
    await expect(page.locator("#day-button")).to_be_in_viewport()
    await expect(page.get_by_role("button", name="Back to the queue, 1 offered")).to_be_visible()
    await has_no_sideways_scroll(page)
    await page.get_by_role("button", name="Brief ›").click()
    await expect(page.locator("#brief")).to_be_focused()
    await has_no_sideways_scroll(page)
    await page.get_by_role("button", name="‹ Chat").click()
    await page.get_by_role("button", name="Back to the queue").click()
    await expect(card_of(page, cora)).to_be_focused()


# --- the owner's review


async def escalations(stage: Stage) -> list[Visitor]:
    """Ann still waits, Ben's chat was resolved by Alice, and Cas was handed over by the bot."""
    ann, ben = await waiting(stage, "Ann", "Ben")
    await stage.take(ALICE, ben.id)
    await stage.resolve(ALICE, ben.id)
    cas = await stage.visitor("Cas")
    await cas.say("can I talk to a real person please, not a bot")
    assert (await cas.view())["status"] == "waiting"
    return [ann, ben, cas]


async def shows(page: Page, names: Sequence[str]) -> None:
    """The list holds exactly these customers, the newest first."""
    await expect(page.locator("#escalations button.card strong")).to_have_text(list(names))


async def test_review_filters(stage: Stage) -> None:
    await escalations(stage)
    page = await stage.staff(OLGA, "/review/")
    await shows(page, ["Cas", "Ben", "Ann"])
    await expect(page.locator("#counts")).to_contain_text("3 escalations")

    for field, choice, names in (
        ("agent", "Alice", ["Ben"]),
        ("outcome", "Resolved", ["Ben"]),
        ("outcome", "Still waiting", ["Cas", "Ann"]),
        ("reason", "Asked for a person", ["Cas", "Ben", "Ann"]),
        ("reason", "Insulting words", []),
        ("state", "Pleased", []),
        ("verdict", "Not judged yet", ["Cas", "Ben", "Ann"]),
        ("verdict", "Right", []),
        ("time", "Today", ["Cas", "Ben", "Ann"]),
        ("time", "Last 7 days", ["Cas", "Ben", "Ann"]),
    ):
        await page.locator(f"#f-{field}").select_option(label=choice)
        await shows(page, names)
        if not names:
            await expect(page.locator("#list-message")).to_have_text("No escalation fits these filters.")
        await page.locator("#clear-filters").click()
        await shows(page, ["Cas", "Ben", "Ann"])
        await expect(page.locator("#clear-filters")).to_be_hidden()

    await page.locator("#f-time").select_option("dates")
    await page.fill("#f-from", "2020-01-01")
    await page.fill("#f-to", "2020-01-31")
    await shows(page, [])
    await page.locator("#clear-filters").click()

    # two together, and kept in the address
    await page.locator("#f-outcome").select_option("waiting")
    await page.locator("#f-reason").select_option("asked")
    await shows(page, ["Cas", "Ann"])
    await page.reload()
    await shows(page, ["Cas", "Ann"])
    await expect(page.locator("#f-outcome")).to_have_value("waiting")


async def test_verdicts_by_click_and_by_key_are_stored(stage: Stage) -> None:
    await escalations(stage)
    page = await stage.staff(OLGA, "/review/")
    verdict = {
        name: page.locator(f"button[data-verdict={name}]") for name in ("right", "too_early", "too_late", "not_needed")
    }
    stored = page.locator("#verdict-saved")

    async def given(name: str) -> None:
        await expect(stored).to_have_text("Stored.")
        for other, button in verdict.items():
            await expect(button).to_have_attribute("aria-pressed", str(other == name).lower())

    await page.locator("#escalations button.card", has_text="Ben").click()
    await expect(page.locator("#detail-title")).to_have_text("Ben: asked for a person")
    await expect(page.locator("#transcript .handoff_requested")).to_be_visible()
    await verdict["right"].click()
    await given("right")
    await expect(page.locator("#escalations button.card", has_text="Ben")).to_contain_text("Right")
    for key, name in (("2", "too_early"), ("3", "too_late"), ("4", "not_needed"), ("1", "right"), ("3", "too_late")):
        await page.keyboard.press(key)
        await given(name)
    await page.fill("#verdict-note", "we had 1 or 2 before")
    await page.locator("#verdict-note").press_sequentially(" 4")  # a digit in a note is no verdict
    await page.locator("#save-note").click()
    await expect(page.locator("#save-note")).to_be_hidden()
    await given("too_late")

    await page.reload()
    await expect(verdict["too_late"]).to_have_attribute("aria-pressed", "true")
    await expect(page.locator("#verdict-note")).to_have_value("we had 1 or 2 before 4")
    await expect(page.locator("#counts")).to_contain_text("33% judged: 1 too late")
    await page.locator("#f-verdict").select_option("too_late")
    await shows(page, ["Ben"])
    await page.locator("#f-verdict").select_option("none")
    await shows(page, ["Cas", "Ann"])
    await expect(page.locator("#detail-message")).to_have_text("The open escalation does not fit the filters.")

    await page.keyboard.press("Escape")
    await page.locator("#escalations button.card", has_text="Cas").click()
    await expect(page.locator("#detail-facts")).to_contain_text("Called by the bot")
    await expect(page.locator("#detail-why a[data-message]").first).to_be_visible()
    await expect(page.locator("#detail-mood svg.mood-curve")).to_be_visible()


async def test_an_agent_at_the_review_is_told_whose_it_is(stage: Stage) -> None:
    page = await stage.staff(ALICE, "/review/")
    await expect(page.locator("#not-owner")).to_contain_text("This page is the shop owner’s")
    await expect(page.locator("#owner")).to_be_hidden()
    await page.get_by_role("link", name="Go to the console").click()
    await expect(page.locator("#me")).to_have_text("Alice")
    await expect(page.locator("#review-link")).to_be_hidden()
    olga = await stage.staff(OLGA)
    await olga.locator("#review-link").click()
    await expect(olga.locator("#owner")).to_be_visible()
    await expect(olga.locator("#list-message")).to_have_text("No person was called so far.")


async def test_an_invitation_works_once(stage: Stage) -> None:
    olga = await stage.staff(OLGA, "/review/")
    await olga.locator("#invite summary").click()
    await olga.get_by_role("button", name="Make a link").click()
    await expect(olga.locator("#invite-url")).to_be_focused()
    url = await olga.locator("#invite-url").input_value()

    page = await (await stage.context()).new_page()
    await page.goto(url)
    await expect(page.locator(".door")).to_contain_text("You are invited as an agent.")
    await expect(page.locator("#name")).to_be_focused()
    join = page.get_by_role("button", name="Join")
    await join.click()
    await expect(page.locator("#name-problem")).to_have_text("Your name is missing.")
    await page.fill("#name", "Dora")
    await page.fill("#email", BOB.email)
    await page.fill("#password", "too short")
    await join.click()
    await expect(page.locator("#password-problem")).to_have_text("At least 10 characters, please.")
    await page.fill("#password", "long enough for Dora")
    await join.click()
    await expect(page.locator("#invitation-problem")).to_contain_text("There is already an account")
    await page.fill("#email", "dora@shop.example")
    await join.click()
    await expect(page).to_have_url(re.compile(r"/console/$"))
    await expect(page.locator("#me")).to_have_text("Dora")

    other = await (await stage.context()).new_page()
    await other.goto(url)
    await expect(other.get_by_role("heading", name="This invitation is used up")).to_be_visible()
    await expect(other.locator("form")).to_have_count(0)
    await other.get_by_role("link", name="I have an account: log in").click()
    await expect(other.locator("#login")).to_be_visible()
