"""``warmline``: serve, demo, migrate, invite, doctor."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from types import FrameType
from typing import Annotated, Any, TypeVar

import sqlalchemy.exc
import structlog
import typer
import uvicorn
from rich.console import Console
from rich.table import Table
from sqlalchemy.ext.asyncio import AsyncConnection

from app import accounts, demo, doctor
from app.accounts import Role
from app.config import ConfigError, Settings, read_settings
from app.logs import configure_logs
from app.main import build_house, create_app
from app.migrate import migrate as run_migrations
from app.shop import ShopError
from app.web.deps import House
from app.worker import utc_now

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The chat desk of a small shop."
)
console = Console()
T = TypeVar("T")
SERVER: dict[str, Any] = {"access_log": False, "log_config": None, "timeout_graceful_shutdown": 5}

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on.")]


def main() -> None:
    """Run the command line; what cannot be used is said in one line, not in a traceback."""
    try:
        app()
    except (ConfigError, ShopError) as error:
        console.print(f"[red]{error}[/red]", highlight=False, markup=True)
        sys.exit(2)
    except sqlalchemy.exc.OperationalError as error:
        console.print(f"[red]The database does not answer[/red]: {error.orig}", highlight=False)
        sys.exit(2)


@app.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Annotated[int, typer.Option(help="Processes; more than one needs PostgreSQL.")] = 1,
) -> None:
    """Migrate and serve. WARMLINE_OWNER_EMAIL and _PASSWORD make the first owner; without them a one-time link does."""
    settings = read_settings()
    configure_logs(settings.log_level)
    if workers == 1:
        _run(_serve_one(settings, host, port, _greet_owner))
        return
    if not settings.database.startswith("postgresql"):
        raise ConfigError("Several workers need PostgreSQL. Set WARMLINE_DATABASE_URL, or serve with one.")
    run_migrations(settings.database)
    asyncio.run(_with_house(settings, _greet_owner))
    uvicorn.run("app.main:create_app", factory=True, host=host, port=port, workers=workers, **SERVER)


@app.command(name="demo")
def run_demo(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve a demo shop with demo people; their passwords are new at every start."""
    os.environ.setdefault("WARMLINE_BASE_URL", f"http://{host}:{port}")
    settings = read_settings()
    if settings.environment == "production":
        raise ConfigError("The demo is not for production. Use: warmline serve")
    configure_logs(settings.log_level)
    _run(_serve_one(settings, host, port, _greet_demo))


@app.command()
def migrate() -> None:
    """Bring the database's shape up to date."""
    run_migrations(read_settings().database)
    console.print("The database is up to date.")


@app.command()
def invite(role: Annotated[Role, typer.Option(help="agent or owner")] = Role.AGENT) -> None:
    """Print a one-time link for a new colleague."""
    settings = read_settings()
    run_migrations(settings.database)
    link = asyncio.run(_with_house(settings, lambda house: _invite(house, role)))
    console.print(link, highlight=False, soft_wrap=True)


@app.command(name="doctor")
def run_doctor() -> None:
    """Say what is wrong with this installation, and what to do."""
    findings = asyncio.run(doctor.examine())
    for finding in findings:
        mark = {"ok": "[green]ok  [/green]", "warn": "[yellow]warn[/yellow]", "fail": "[red]fail[/red]"}[finding.level]
        console.print(f"{mark} {finding.subject}: {finding.text}", highlight=False, soft_wrap=True)
    sys.exit(1 if any(f.level == "fail" for f in findings) else 0)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run the service on uvloop where there is one."""
    factory = uvicorn.Config(app="", loop="auto").get_loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(work)


async def _serve_one(settings: Settings, host: str, port: int, greet: Callable[[House], Awaitable[None]]) -> None:
    """Serve from this process: everything is built once, in the loop that will use it."""
    web = create_app(settings)
    house: House = web.state.house
    try:
        run_migrations(settings.database)
        await greet(house)
    except BaseException:
        house.inference.close()
        await house.db.close()
        raise
    structlog.get_logger(__name__).info("serving", url=settings.base_url)
    await _Server(uvicorn.Config(web, host=host, port=port, **SERVER), house).serve()


class _Server(uvicorn.Server):
    """Ends open streams when it is told to stop; otherwise they would hold it up until they are cut."""

    def __init__(self, config: uvicorn.Config, house: House) -> None:
        super().__init__(config)
        self._house = house

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The signal came: say so to the streams, then stop."""
        self._house.db.live.close()
        super().handle_exit(sig, frame)


async def _with_house(settings: Settings, work: Callable[[House], Awaitable[T]]) -> T:
    house = build_house(settings)
    try:
        return await work(house)
    finally:
        house.inference.close()
        await house.db.close()


async def _invite(house: House, role: Role) -> str:
    async with house.db.unit_of_work() as work:
        token = await accounts.invite(work.conn, role, utc_now())
    return f"{house.settings.base_url}/invitation/{token}"


async def _greet_owner(house: House) -> None:
    """Make the owner the environment names; without one, print a one-time link while there is no account at all."""
    async with house.db.unit_of_work() as work:
        if await accounts.everyone(work.conn):
            return
        if house.settings.owner_email:
            await _add_owner(work.conn, house.settings)
            return
    link = await _invite(house, Role.OWNER)
    console.print(f"There is no owner yet. Make the first account here, once: {link}", highlight=False, soft_wrap=True)


async def _add_owner(conn: AsyncConnection, settings: Settings) -> None:
    try:
        hashed = await accounts.hash_password(settings.owner_password.get_secret_value())
    except accounts.AccountError as error:
        raise ConfigError(f"WARMLINE_OWNER_PASSWORD: {error}") from error
    await accounts.add(conn, settings.owner_email, "Owner", Role.OWNER, hashed, utc_now())


async def _greet_demo(house: House) -> None:
    """Seed the demo and print where everything is."""
    _print_addresses(house.settings.base_url, await demo.seed(house))


def _print_addresses(base: str, logins: list[demo.Login]) -> None:
    table = Table(title="Warmline demo", show_header=False, title_justify="left")
    for name, path in (("Shop with the widget", "/shop/"), ("Agents' console", "/console/"),
                       ("Owner's review", "/review/"), ("API", "/docs")):  # fmt: skip
        table.add_row(name, base + path)
    for login in logins:
        table.add_row(f"Log in as {login.role}", f"{login.email}   {login.password}")
    console.print(table)
    console.print("The passwords are new at every start.", style="dim")


if __name__ == "__main__":
    main()
