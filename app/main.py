"""create_app(): the only place that builds things and puts them together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import structlog
from fastapi import Depends, FastAPI

from app.config import Settings, read_settings, signing_key
from app.db import Database
from app.deskwork import DeskWork
from app.doorbell import Doorbell
from app.inference import Inference
from app.live import live_for
from app.logs import configure_logs
from app.outbox.deliveries import Carrier, Deliveries
from app.outbox.http import Poster
from app.outbox.links import Links
from app.outbox.mail import Mail
from app.outbox.notices import Notices, targets_in
from app.outbox.outbox import Channel
from app.outbox.smtp import mail_server
from app.outbox.webhooks import Webhooks
from app.outbox.writer import Outbox, Reach
from app.presence import Presence
from app.shop import load_shop
from app.shopfront import ShopFile, Shops, open_shop
from app.turn import BotTurn
from app.web import agent, console, customer, deliveries, desk, errors, health, owner, pages, stream
from app.web.deps import House, Limiter, Tokens, same_origin
from app.web.security import SecurityHeaders
from app.worker import Worker, utc_now
from models.catalog import load_encoder, load_reader

log = structlog.get_logger(__name__)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service. Raises ConfigError or ShopError when it cannot be built."""
    if settings is None:  # a worker process of its own, started by uvicorn
        settings = read_settings()
        configure_logs(settings.log_level)
    house = build_house(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(house.db.close)
            stack.callback(house.inference.close)
            await stack.enter_async_context(house.db.live.run())
            await stack.enter_async_context(house.shops.kept_fresh(house.shop_files))
            if settings.run_worker:
                turn = BotTurn(house.db, house.inference, house.shops, house.clock, house.doorbell)
                worker = Worker(house.db, turn, house.doorbell)
                await stack.enter_async_context(worker.run())
                await stack.enter_async_context(deliveries_of(house, stack).run())
                await stack.enter_async_context(DeskWork(house.db, house.shops, house.clock).run())
            yield

    app = FastAPI(
        title="Warmline", version="0.1.0", lifespan=lifespan, redirect_slashes=False,
        dependencies=[Depends(same_origin)],
        description="The chat desk of a small shop. Customers use a bearer token, staff a session cookie.",
    )  # fmt: skip
    app.state.house = house
    app.add_middleware(SecurityHeaders)
    errors.install(app)
    for room in (customer, agent, console, desk, owner, deliveries, stream, health, pages):
        app.include_router(room.router)
    app.mount("/static", pages.Fresh(directory=pages.STATIC), name="static")
    return app


def build_house(settings: Settings) -> House:
    """Load the models, open the shops, make the database's engines; nothing is connected yet."""
    labels = {label: state for path in settings.shops for label, state in load_shop(path).emotion_labels.items()}
    reader = load_reader(settings.emotion_model, labels)
    encoder = load_encoder(settings.encoder_model)
    problems = tuple(problem for problem in (reader.problem, encoder.problem) if problem)
    for problem in problems:
        log.error("model_unavailable", problem=problem)
    live, outbox = live_for(settings.database), Outbox(reach_of(settings))
    open_one = partial(
        open_shop, encoder=encoder.model, cache=settings.data_dir / "cache", mail=outbox.reach.mail is not None
    )
    opened = {path: partial(open_one, path) for path in settings.shops}
    key = signing_key(settings)
    return House(
        settings=settings,
        db=Database(settings.database, live, outbox),
        doorbell=Doorbell(live, settings.turn_lease),
        outbox=outbox,
        links=Links(key, settings.base_url),
        shops=Shops([reopen() for reopen in opened.values()]),
        shop_files=tuple(ShopFile(path, reopen) for path, reopen in opened.items()),
        inference=Inference(reader.model, encoder.model, settings.model_timeout.total_seconds()),
        tokens=Tokens(key),
        limiter=Limiter(),
        clock=utc_now,
        presence=Presence(live),
        problems=problems,
    )


def reach_of(settings: Settings) -> Reach:
    """By what ways the settings let people be reached."""
    smtp = settings.smtp_url.get_secret_value()
    return Reach(
        mail_server(smtp, settings.mail_from) if smtp else None, settings.unseen_after,
        targets_in(settings.notify_urls.get_secret_value()), settings.notify_after,
    )  # fmt: skip


def deliveries_of(house: House, stack: AsyncExitStack) -> Deliveries:
    """The loop that carries out what must leave, with its three ways out."""
    timeout = house.settings.delivery_timeout
    seconds, reach = timeout.total_seconds(), house.outbox.reach
    poster = Poster(seconds, allow_private=house.settings.webhook_allow_private)
    stack.push_async_callback(poster.close)
    carriers: dict[Channel, Carrier] = {
        Channel.WEBHOOK: Webhooks(house.db, poster),
        Channel.MAIL: Mail(house.db, reach.mail, house.shops, house.links, seconds),
        Channel.NOTICE: Notices(house.db, reach.notify, house.shops, house.links, seconds),
    }
    return Deliveries(house.db, house.outbox, carriers, 2 * timeout, house.clock)
