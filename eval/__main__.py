"""``python -m eval``: measure the reader, the matcher and the bot, or filter anyone's own data through them."""

import importlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from eval import progress, report
from eval.data import Split, Unusable
from eval.options import PUBLIC, REPORTS, Options

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
    help="Measure the reader, the matcher and the bot, or filter your own data through them.",
)  # fmt: skip
MEASURES = ("emotion", "faq", "handoff", "fairness", "speed")

Data = Annotated[Path, typer.Option(help="Folder with the public data sets.")]
Part = Annotated[Split, typer.Option(help="What is scored. The test split is looked at once per release.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Score at most this many rows of each set, drawn by --seed.")]
Seed = Annotated[int, typer.Option(help="Seed of samples, folds and bootstrap.")]
Out = Annotated[Path, typer.Option(help="Folder for the reports.")]
Reader = Annotated[
    str, typer.Option(envvar="WARMLINE_EMOTION_MODEL", help="shipped, rules, or a folder with a network.")
]
Alpha = Annotated[float, typer.Option(min=0.01, max=0.5, help="Share of frustrated customers that may be missed.")]
AnyShop = Annotated[Path, typer.Option(help="A shop's file, or a list of entries with id and examples (YAML or JSON).")]
FullShop = Annotated[Path | None, typer.Option(help="A shop's file; the demo shop without it.")]
Cache = Annotated[Path | None, typer.Option(help="Folder in which the entries' vectors are kept.")]


def _load(name: str) -> Any:
    """A room of the suite, when it is needed: the filters must start without the plotting and learning libraries."""
    try:
        return importlib.import_module(f"eval.{name}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(("eval", "app", "models", "handoff", "conversations")):
            raise
        progress.notices.print(
            f"[red]{error.name} is not installed.[/red] Install what measuring needs: pip install 'warmline\\[eval]'"
        )
        raise typer.Exit(2) from error


def _measure(command: str, options: Options, **more: bool) -> report.Report:
    return _written(_load(command).run(options, **more), options.out)


def _written(found: report.Report, out: Path) -> report.Report:
    report.show(found, progress.console)
    paths = report.write(found, out)
    progress.console.print(f"Written: {', '.join(map(str, paths))}", highlight=False, soft_wrap=True)
    return found


@app.command()
def emotion(
    data: Data = PUBLIC, split: Part = Split.DEV, limit: Limit = None, seed: Seed = 0, out: Out = REPORTS,
    reader: Reader = "shipped", alpha: Alpha = 0.1,
) -> None:  # fmt: skip
    """How customers are read: states, flags, calibration, slices, pairs, languages, GoEmotions."""
    _measure("emotion", Options(data, split, limit, seed, out, reader, alpha))


@app.command()
def faq(data: Data = PUBLIC, split: Part = Split.DEV, limit: Limit = None, seed: Seed = 0, out: Out = REPORTS) -> None:
    """Questions to the demo shop: answered, asked back, not known."""
    _measure("faq", Options(data, split, limit, seed, out))


@app.command()
def handoff(
    data: Data = PUBLIC, split: Part = Split.DEV, limit: Limit = None, seed: Seed = 0, out: Out = REPORTS,
    reader: Reader = "shipped",
    fit: Annotated[bool, typer.Option("--fit", help="First fit handoff/rules.json on this split.")] = False,
) -> None:  # fmt: skip
    """Dialogues through the real bot: does a person come in time, and only then."""
    _measure("handoff", Options(data, split, limit, seed, out, reader), fit=fit)


@app.command()
def fairness(
    data: Data = PUBLIC, split: Part = Split.DEV, limit: Limit = None, seed: Seed = 0, out: Out = REPORTS,
    reader: Reader = "shipped",
) -> None:  # fmt: skip
    """False frustration and escalation by dialect and form, and pairs that must keep their label."""
    _measure("fairness", Options(data, split, limit, seed, out, reader))


@app.command()
def speed(
    data: Data = PUBLIC, limit: Limit = None, seed: Seed = 0, out: Out = REPORTS, reader: Reader = "shipped"
) -> None:
    """One reading alone and by sixteen, beside a RoBERTa-base in PyTorch."""
    _measure("speed", Options(data, Split.DEV, limit, seed, out, reader))


@app.command()
def desk(
    days: Annotated[int, typer.Option(min=1, help="Days for each size of team.")] = 5,
    agents: Annotated[list[int] | None, typer.Option(min=1, max=60, help="Sizes of the team; may be repeated.")] = None,
    busy: Annotated[
        float, typer.Option(min=0.1, max=1.2, help="Share of the team's capacity that is asked for.")
    ] = 0.8,
    seed: Seed = 0,
    arrivals: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Recorded customers, JSON lines.")
    ] = None,
    out: Out = REPORTS,
) -> None:
    """Days at the desk by the service's own code: waits, promises kept, nobody starves, heavy chats shared."""
    room = _load("desk")
    _written(room.run(days, agents or room.TEAMS, busy, seed, arrivals), out)


@app.command(name="all")
def everything(
    data: Data = PUBLIC, split: Part = Split.DEV, limit: Limit = None, seed: Seed = 0, out: Out = REPORTS,
    reader: Reader = "shipped", alpha: Alpha = 0.1,
) -> None:  # fmt: skip
    """Every measure, and an overview beside the goals."""
    options = Options(data, split, limit, seed, out, reader, alpha)
    reports = {command: _measure(command, options) for command in MEASURES}
    overview = _load("overview").of(reports, options, reports["emotion"].facts["reader"])
    report.show(overview, progress.console)
    report.write(overview, out)


@app.command()
def gate(
    data: Data = PUBLIC, out: Out = REPORTS, reader: Reader = "shipped",
    write: Annotated[bool, typer.Option("--write", help="Make this run the new baseline.")] = False,
) -> None:  # fmt: skip
    """Fail (1) if anything is worse than eval/baseline.json by more than the noise. Always on a fixed dev sample."""
    room, model = _load("gate"), _load("readers").open_reader(reader)
    samples = room.measure(model, data)
    if write:
        room.write(samples, model.name)
        progress.console.print(f"Written: {room.BASELINE}", highlight=False, soft_wrap=True)
    compared = room.compare(samples)
    found = room.report_of(compared, {"reader": model.name})
    report.show(found, progress.console)
    report.write(found, out)
    raise typer.Exit(int(any(c.is_worse for c in compared)))


@app.command()
def read(reader: Reader = "shipped") -> None:
    """Filter: {"text", "before"?} a line in; state, probabilities, labels and flags out."""
    raise typer.Exit(_load("filters").read(reader))


@app.command()
def match(shop: AnyShop, cache: Cache = None) -> None:
    """Filter: {"text"} a line in; outcome, id, score and candidates out (small talk is "unknown" here)."""
    raise typer.Exit(_load("filters").match(shop, cache))


@app.command()
def replay(shop: FullShop = None, reader: Reader = "shipped") -> None:
    """Filter: {"id", "messages": [{"text"}]} a line in; what the bot did at every turn out."""
    raise typer.Exit(_load("filters").replay(reader, shop))


def main() -> None:
    """Run; what cannot be used is said in one line, not in a traceback."""
    try:
        app()
    except Unusable as error:
        progress.notices.print(f"[red]{escape(str(error))}[/red]", highlight=False, soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
