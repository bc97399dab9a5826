"""A shop's file is served as it is now: an edit takes effect while the service runs, a mistake changes nothing."""

import asyncio
import os
from pathlib import Path

import pytest

from app.shopfront import ShopFile, Shopfront, Shops, open_shop
from handoff.costs import Bad
from models.base import Outcome
from tests.serving import SMALL_SHOP, eventually

QUICK = 0.02
GOATS = """
  - id: goats
    question: Do you sell goats?
    examples: ["Have you got any goats?", "Can I buy a goat here?"]
    answer: We sell three goats.
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    copy = tmp_path / "shop.yaml"
    copy.write_bytes(SMALL_SHOP.read_bytes())
    return copy


def shops_of(path: Path) -> tuple[Shops, ShopFile]:
    def reopen() -> Shopfront:
        return open_shop(path, None, path.parent / "cache")

    return Shops([reopen()]), ShopFile(path, reopen)


def with_goats(text: str) -> str:
    return text.replace("\nfaq:\n", "\nfaq:" + GOATS, 1)


def edit(path: Path, text: str) -> None:
    """Save as an editor does: a new file put in the old one's place."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    os.replace(fresh, path)


async def test_an_entry_that_is_added_is_matched_without_a_restart(path: Path) -> None:
    shops, file = shops_of(path)
    asked = ["do you sell goats?"]
    assert shops.first.matcher.match(asked)[0].outcome is not Outcome.ANSWER
    async with shops.kept_fresh([file], QUICK):
        edit(path, with_goats(path.read_text(encoding="utf-8")))
        await eventually(lambda: shops.first.shop.entry("goats") is not None)
    assert shops.first.matcher.match(asked)[0].candidates[0].id == "goats"


async def test_a_mistake_changes_nothing_and_the_next_good_edit_is_taken(path: Path) -> None:
    shops, file = shops_of(path)
    good = path.read_text(encoding="utf-8")
    async with shops.kept_fresh([file], QUICK):
        edit(path, good + "\nnonsense: [")
        await asyncio.sleep(QUICK * 10)
        assert shops.first.shop.entry("track-order")
        edit(path, with_goats(good))
        await eventually(lambda: shops.first.shop.entry("goats") is not None)


async def test_a_file_that_is_gone_for_a_moment_changes_nothing(path: Path) -> None:
    shops, file = shops_of(path)
    kept = path.read_text(encoding="utf-8")
    async with shops.kept_fresh([file], QUICK):
        path.unlink()
        await asyncio.sleep(QUICK * 10)
        assert shops.first.shop.entry("track-order")
        edit(path, with_goats(kept))
        await eventually(lambda: shops.first.shop.entry("goats") is not None)


def test_the_owners_costs_move_the_thresholds(path: Path) -> None:
    usual = shops_of(path)[0].first.rules
    path.write_text(path.read_text(encoding="utf-8") + "\nhandoff: {needless_handoff: very bad}\n", encoding="utf-8")
    strict = shops_of(path)[0].first
    assert strict.shop.handoff.needless_handoff is Bad.VERY_BAD
    assert strict.rules.offer_at > usual.offer_at
