"""What endpoints ask for: the house, who is calling, and whether they may."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Header, Request
from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app import accounts
from app.accounts import Account, Role
from app.config import Settings
from app.db import Database
from app.doorbell import Doorbell
from app.inference import Inference
from app.outbox.links import Links
from app.outbox.writer import Outbox
from app.presence import Presence
from app.shopfront import ShopFile, Shops
from app.turn import Clock
from app.web.errors import HttpProblem

CUSTOMER_TOKEN_LASTS = timedelta(days=30)
LOGINS = RateLimitItemPerMinute(10)
"""Log-in attempts per minute and address, and per minute and account."""


class Limiter:
    """Moving-window limits within this process."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, item: RateLimitItem, *key: str) -> None:
        """Count one; 429 with Retry-After when there were too many."""
        if not self._limiter.hit(item, *key):
            detail = "Too many in a short time. Nothing was lost; wait a moment and try again."
            raise HttpProblem(429, "too_many", detail, {"Retry-After": "10"})


class Tokens:
    """Signs what lets a customer back into their own conversation, and no other."""

    def __init__(self, key: str) -> None:
        self._signer = URLSafeTimedSerializer(key, salt="customer")

    def issue(self, conversation_id: str) -> str:
        """A token for one conversation."""
        return self._signer.dumps(conversation_id)

    def conversation_of(self, token: str) -> str:
        """The conversation a token opens; 401 when it is over or not ours."""
        try:
            return str(self._signer.loads(token, max_age=int(CUSTOMER_TOKEN_LASTS.total_seconds())))
        except SignatureExpired:
            raise HttpProblem(401, "token_expired", "This chat link is over. Start a new conversation.") from None
        except BadSignature:
            raise HttpProblem(401, "bad_token", "This chat cannot be opened. Start a new conversation.") from None


@dataclass(frozen=True)
class House:
    """Everything create_app() built, for endpoints to use."""

    settings: Settings
    db: Database
    doorbell: Doorbell
    outbox: Outbox
    links: Links
    shops: Shops
    inference: Inference
    tokens: Tokens
    limiter: Limiter
    clock: Clock
    presence: Presence
    shop_files: tuple[ShopFile, ...] = ()
    problems: tuple[str, ...] = ()
    """What is not as it should be, such as a model that did not load."""


async def the_house(request: Request) -> House:
    """The house of this app."""
    house: House = request.app.state.house
    return house


HouseDep = Annotated[House, Depends(the_house)]


async def client_address(request: Request) -> str:
    """The caller's address, for limits."""
    return request.client.host if request.client else "unknown"


Address = Annotated[str, Depends(client_address)]


async def own_conversation(house: HouseDep, conversation_id: str, authorization: Annotated[str, Header()] = "") -> str:
    """The id of the conversation the caller's token opens: 401 without one, 403 for any other conversation."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HttpProblem(401, "no_token", "A customer's token is needed. Start a conversation to get one.")
    if house.tokens.conversation_of(token) != conversation_id:
        raise HttpProblem(403, "not_yours", "This token opens another conversation.")
    return conversation_id


OwnConversation = Annotated[str, Depends(own_conversation)]


def cookie_name(settings: Settings) -> str:
    """Host-bound over HTTPS; a plain name where browsers would refuse that."""
    return "__Host-warmline" if settings.is_https else "warmline"


async def current_account(request: Request, house: HouseDep) -> Account:
    """Who is logged in, or 401."""
    token = request.cookies.get(cookie_name(house.settings))
    if token:
        async with house.db.read() as conn:
            account = await accounts.who(conn, token, house.clock())
        if account:
            return account
    raise HttpProblem(401, "not_logged_in", "Please log in.")


def role_at_least(role: Role) -> Callable[..., Awaitable[Account]]:
    """A dependency: the account, or 403 when its role does not reach."""

    async def check(account: Annotated[Account, Depends(current_account)]) -> Account:
        if role is Role.OWNER and account.role is not Role.OWNER:
            raise HttpProblem(403, "owners_only", "Only the shop's owner may do that.")
        return account

    return check


Agent = Annotated[Account, Depends(role_at_least(Role.AGENT))]
Owner = Annotated[Account, Depends(role_at_least(Role.OWNER))]


async def same_origin(request: Request) -> None:
    """Refuse writes that another site's page sends with our cookie."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    foreign = origin is not None and origin.split("://")[-1] != request.headers.get("host")
    if site in ("cross-site", "same-site") or (site is None and foreign):
        raise HttpProblem(403, "cross_site", "This must be sent from Warmline's own pages.")
