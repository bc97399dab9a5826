"""Each shop as the bot needs it: its file, its matcher and its voice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.shop import Shop, ShopError, load_shop
from conversations.errors import ConversationError
from conversations.voice.voice import TEMPLATES, Voice
from handoff.policy import Rules
from models.base import Entry, FaqMatcher, SentenceEncoder
from models.catalog import ARTIFACTS
from models.faq import HybridMatcher, MatcherCalibration

log = structlog.get_logger(__name__)


class UnknownShop(ConversationError):
    """No shop with this id is served here."""

    def __init__(self, shop_id: str) -> None:
        super().__init__("There is no such shop here. Check data-shop in the page's script line.")
        self.shop_id = shop_id


@dataclass(frozen=True)
class Shopfront:
    """One shop, ready to serve."""

    shop: Shop
    matcher: FaqMatcher
    voice: Voice
    rules: Rules
    """When a person comes, at this shop's costs."""
    replies: FaqMatcher | None = None
    """Finds canned replies, as ``matcher`` finds answers; None when the shop has none."""


Reopen = Callable[[], Shopfront]
LOOK_EVERY = 2.0
"""Seconds between looks at whether a shop's file was edited."""


class Shops:
    """The shops that are served, by id. An edited file takes effect without a restart."""

    def __init__(self, fronts: Sequence[Shopfront]) -> None:
        self._fronts = {front.shop.id: front for front in fronts}

    @asynccontextmanager
    async def kept_fresh(self, files: Sequence["ShopFile"], every: float = LOOK_EVERY) -> AsyncIterator[None]:
        """While the block lasts, serve what the files say. A file that cannot be used changes nothing and is logged."""
        watch = asyncio.create_task(self._watch(files, every))
        try:
            yield
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    async def _watch(self, files: Sequence["ShopFile"], every: float) -> None:
        while True:
            await asyncio.sleep(every)
            for file in files:
                try:
                    front = await asyncio.to_thread(file.reopened)
                except (ShopError, OSError) as error:
                    log.error("shop_file_refused", problem=str(error))
                    continue
                if front:
                    self._fronts[front.shop.id] = front
                    log.info("shop_file_reloaded", shop=front.shop.id, entries=len(front.shop.faq))

    def find(self, shop_id: str) -> Shopfront | None:
        """The shop; None when it is not served (any more)."""
        return self._fronts.get(shop_id)

    def get(self, shop_id: str) -> Shopfront:
        """The shop, or UnknownShop."""
        try:
            return self._fronts[shop_id]
        except KeyError:
            raise UnknownShop(shop_id) from None

    @property
    def first(self) -> Shopfront:
        """The shop that is shown when none is named."""
        return next(iter(self._fronts.values()))


class ShopFile:
    """One shop's file, opened again whenever it was edited."""

    def __init__(self, path: Path, reopen: Reopen) -> None:
        self._path, self._reopen = path, reopen
        self._seen = self._stamp()

    def reopened(self) -> Shopfront | None:
        """The shop as the file has it now; None when it has not changed. Raises ShopError, once for each edit."""
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        self._seen = stamp
        return self._reopen()

    def _stamp(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:  # an editor may be replacing it
            return None
        return found.st_mtime_ns, found.st_size


def open_shop(path: Path, encoder: SentenceEncoder | None, cache: Path, *, mail: bool = False) -> Shopfront:
    """Load a shop's file and make its matcher; ``mail``: whether answers can be sent there. Raises ShopError."""
    shop = load_shop(path)
    calibration = MatcherCalibration.load(ARTIFACTS / "encoder" / "matcher.json")
    locale = next((lang for lang in shop.languages if (TEMPLATES / lang).is_dir()), "en")
    canned = [Entry(r.shortcut, (r.title or r.text, *r.examples), r.text) for r in shop.replies]
    return Shopfront(
        shop,
        HybridMatcher(shop.entries(), encoder, calibration, cache),
        Voice(locale, shop.tone, mail=mail),
        Rules.fitted(shop.handoff.costs),
        HybridMatcher(canned, encoder, calibration, cache) if canned else None,
    )
