"""create_app(): the only place that builds things and puts them together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from fastapi import Depends, FastAPI

from app.config import Settings, read_settings, signing_key
from app.db import Database
from app.deskwork import DeskWork
from app.doorbell import Doorbell
from app.inference import Inference
from app.live import live_for
from app.logs import configure_logs
from app.shopfront import Shops, open_shop
from app.turn import BotTurn
from app.web import agent, customer, desk, errors, health, owner, pages, stream
from app.web.deps import House, Limiter, Tokens, same_origin
from app.web.security import SecurityHeaders
from app.worker import Worker, utc_now
from handoff.policy import Rules
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
            if settings.run_worker:
                turn = BotTurn(house.db, house.inference, house.shops, Rules(), house.clock, house.doorbell)
                worker = Worker(house.db, turn, house.doorbell)
                await stack.enter_async_context(worker.run())
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
    for room in (customer, agent, desk, owner, stream, health, pages):
        app.include_router(room.router)
    app.mount("/static", pages.Fresh(directory=pages.STATIC), name="static")
    return app


def build_house(settings: Settings) -> House:
    """Load the models, open the shops, make the database's engines; nothing is connected yet."""
    reader = load_reader(settings.emotion_model)
    encoder = load_encoder(settings.encoder_model)
    problems = tuple(problem for problem in (reader.problem, encoder.problem) if problem)
    for problem in problems:
        log.error("model_unavailable", problem=problem)
    shops = Shops([open_shop(path, encoder.model, settings.data_dir / "cache") for path in settings.shops])
    live = live_for(settings.database)
    return House(
        settings=settings,
        db=Database(settings.database, live),
        doorbell=Doorbell(live, settings.turn_lease),
        shops=shops,
        inference=Inference(reader.model, encoder.model, settings.model_timeout.total_seconds()),
        tokens=Tokens(signing_key(settings)),
        limiter=Limiter(),
        clock=utc_now,
        problems=problems,
    )
