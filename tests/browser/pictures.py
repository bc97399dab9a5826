"""The pictures in docs/images, of the served shop on a busy morning: ``python -m tests.browser.pictures [FOLDER]``."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, async_playwright, expect

from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.stage import ChatPage, Served, Stage, Visitor
from tests.conftest import ALICE, BOB, open_database
from tests.serving import ROOT, hire

SIZE = {"width": 1360, "height": 900}
LOST = ("where is my parcel? order HF-20418",
        "I already looked there, it has said the same thing for six days. this is ridiculous",
        "are you even listening? that's two parcels you have lost this month. unacceptable")  # fmt: skip
LATE = "The wedding is on Saturday and I am so worried that the gifts will not arrive in time"
CHIPPED = "my enamel jug came with a chip in it"


async def busy_morning(stage: Stage) -> Visitor:
    """Chats in every state, with Bob at the desk; gives the one that Alice is in the middle of."""
    await stage.at_the_desk(BOB, skills=["returns"])
    names = ("Cora", "Marcus", "Priya", "Tom", "Ines", "Amir")
    cora, marcus, priya, tom, ines, amir = [await stage.visitor(name) for name in names]
    await marcus.say(*LOST)
    await priya.say(CHIPPED, "can I talk to someone please?")
    await stage.take(BOB, priya.id)
    await tom.say("How long does delivery take?", "lovely, thanks!")
    await amir.say("How much is gift wrapping?")
    await cora.say("do you have the blue jug again soon?")
    await stage.take(ALICE, marcus.id)
    await stage.reply(ALICE, marcus.id, "I am sorry, Marcus. I am asking the carrier now; I will stay with you here.")
    await marcus.say("thank you, finally somebody who listens")
    await ines.say(LATE)
    await ines.ask_for_person()
    return marcus


async def take_pictures(stage: Stage, folder: Path, *, schemes: tuple[str, ...] = ("light",)) -> None:
    """The console, and the shop with its chat."""
    marcus = await busy_morning(stage)
    for scheme in schemes:
        suffix = "" if scheme == "light" else f"-{scheme}"
        alice = await stage.staff(ALICE, f"/console/?chat={marcus.id}", viewport=SIZE, color_scheme=scheme)
        await expect(alice.locator("[data-lane=offered] .offer")).to_be_visible()
        await expect(alice.locator("#brief svg.mood-curve")).to_be_visible()
        await alice.locator("#chat-title").click()  # so that sound may play, and nothing is said of it
        await alice.locator("#draft").fill("It left the depot this morning, Marcus. ")
        await alice.locator("#transcript li.customer", has_text=LOST[2]).evaluate("line => line.scrollIntoView()")
        await settled(alice)
        await alice.screenshot(path=folder / f"console{suffix}.png")
        shop = await (await stage.context(viewport=SIZE, color_scheme=scheme)).new_page()
        await shop.goto("/shop/")
        await shop.get_by_role("button", name="Chat with us").click()
        handle = await shop.locator("iframe[title=Chat]").element_handle()
        frame = await handle.content_frame() if handle else None
        chat = ChatPage(shop, frame)
        await expect(chat.said("bot").first).to_be_visible()
        await chat.say("How long does delivery take?")
        await chat.say(LATE)
        await settled(shop)
        await shop.screenshot(path=folder / f"shop{suffix}.png")


async def settled(page: Page) -> None:
    """Fonts are there and nothing moves any more."""
    await page.evaluate("document.fonts.ready.then(() => null)")
    await page.wait_for_timeout(700)


async def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as kept:
        server = Served(Path(kept))
        try:
            await server.start()
            async with open_database(server.database) as db, async_playwright() as playwright:
                await hire(db, ALICE, BOB)
                browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                async with Stage(server.address, db, browser) as stage:
                    await take_pictures(stage, folder)
                assert stage.problems == []
                await browser.close()
        finally:
            server.stop()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"))
