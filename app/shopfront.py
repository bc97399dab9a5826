"""Each shop as the bot needs it: its file, its matcher and its voice."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.shop import Shop, load_shop
from conversations.errors import ConversationError
from conversations.voice.voice import TEMPLATES, Voice
from handoff.policy import Rules
from models.base import FaqMatcher, SentenceEncoder
from models.catalog import ARTIFACTS
from models.faq import HybridMatcher, MatcherCalibration


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


class Shops:
    """The shops that are served, by id."""

    def __init__(self, fronts: Sequence[Shopfront]) -> None:
        self._fronts = {front.shop.id: front for front in fronts}

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


def open_shop(path: Path, encoder: SentenceEncoder | None, cache: Path) -> Shopfront:
    """Load a shop's file and make its matcher. Raises ShopError."""
    shop = load_shop(path)
    calibration = MatcherCalibration.load(ARTIFACTS / "encoder" / "matcher.json")
    locale = next((lang for lang in shop.languages if (TEMPLATES / lang).is_dir()), "en")
    matcher = HybridMatcher(shop.entries(), encoder, calibration, cache)
    return Shopfront(shop, matcher, Voice(locale, shop.tone), Rules.fitted(shop.handoff.costs))
