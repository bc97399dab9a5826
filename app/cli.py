"""``warmline``: serve, demo, migrate, invite, doctor."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Annotated, Any

import sqlalchemy.exc
import structlog
import typer
import uvicorn
from rich.console import Console
from rich.table import Table

from app import accounts, demo, doctor
from app.accounts import Role
from app.config import ConfigError, Settings
from app.logs import configure_logs
from app.main import build_house, create_app
from app.migrate import migrate as run_migrations
from app.shop import ShopError
from app.worker import utc_now

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="The chat desk of a small shop."
)
console = Console()

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
    settings = Settings()
    if workers > 1 and not settings.database.startswith("postgresql"):
        raise ConfigError("Several workers need PostgreSQL. Set WARMLINE_DATABASE_URL, or serve with one.")
    create_app(settings)  # says what is wrong before anything starts
    run_migrations(settings.database)
    link = asyncio.run(_first_owner(settings))
    if link:
        console.print(f"There is no owner yet. Make the first account here, once: {link}", highlight=False)
    _serve(settings, host, port, workers)


@app.command(name="demo")
def run_demo(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """Serve a demo shop with demo people; their passwords are new at every start."""
    os.environ.setdefault("WARMLINE_BASE_URL", f"http://{host}:{port}")
    settings = Settings()
    if settings.environment == "production":
        raise ConfigError("The demo is not for production. Use: warmline serve")
    run_migrations(settings.database)
    logins = asyncio.run(_seeded(settings))
    _print_addresses(settings.base_url, logins)
    _serve(settings, host, port, 1)


@app.command()
def migrate() -> None:
    """Bring the database's shape up to date."""
    run_migrations(Settings().database)
    console.print("The database is up to date.")


@app.command()
def invite(role: Annotated[Role, typer.Option(help="agent or owner")] = Role.AGENT) -> None:
    """Print a one-time link for a new colleague."""
    settings = Settings()
    run_migrations(settings.database)
    console.print(asyncio.run(_invite(settings, role)), highlight=False)


@app.command(name="doctor")
def run_doctor() -> None:
    """Say what is wrong with this installation, and what to do."""
    findings = asyncio.run(doctor.examine())
    for finding in findings:
        mark = {"ok": "[green]ok  [/green]", "warn": "[yellow]warn[/yellow]", "fail": "[red]fail[/red]"}[finding.level]
        console.print(f"{mark} {finding.subject}: {finding.text}", highlight=False, soft_wrap=True)
    sys.exit(1 if any(f.level == "fail" for f in findings) else 0)


async def _with_house(settings: Settings, work: Any) -> Any:
    house = build_house(settings)
    try:
        return await work(house)
    finally:
        house.inference.close()
        await house.db.close()


def _seeded(settings: Settings) -> Coroutine[Any, Any, list[demo.Login]]:
    return _with_house(settings, demo.seed)


async def _invite(settings: Settings, role: Role) -> str:
    async def work(house: Any) -> str:
        async with house.db.unit_of_work() as unit:
            token = await accounts.invite(unit.conn, role, utc_now())
        return f"{settings.base_url}/invitation/{token}"

    return str(await _with_house(settings, work))


async def _first_owner(settings: Settings) -> str | None:
    """Make the owner the environment names; without one, a one-time link while there is no account at all."""

    async def work(house: Any) -> bool:
        async with house.db.unit_of_work() as unit:
            if await accounts.everyone(unit.conn):
                return True
            if not settings.owner_email:
                return False
            hashed = await accounts.hash_password(settings.owner_password.get_secret_value())
            await accounts.add(unit.conn, settings.owner_email, "Owner", Role.OWNER, hashed, utc_now())
            return True

    try:
        there = await _with_house(settings, work)
    except accounts.AccountError as error:
        raise ConfigError(f"WARMLINE_OWNER_PASSWORD: {error}") from error
    return None if there else await _invite(settings, Role.OWNER)


def _serve(settings: Settings, host: str, port: int, workers: int) -> None:
    configure_logs(settings.log_level)
    structlog.get_logger(__name__).info("serving", url=settings.base_url, workers=workers)
    uvicorn.run(
        "app.main:create_app", factory=True, host=host, port=port, workers=workers, access_log=False,
        log_config=None, timeout_graceful_shutdown=5,
    )  # fmt: skip


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
