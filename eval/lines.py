"""JSON lines from standard input to standard output: batches of what is there, nothing waited for, nothing lost."""

import json
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

BATCH = 64
BLOCK = 1 << 16
READ_AHEAD = 4 * BATCH


class BadLine(Exception):
    """A line that cannot be used; the message says why."""


@dataclass(frozen=True)
class Line:
    """One line of the input: what it says, or why it cannot be used."""

    number: int
    """1-based."""
    value: Any = None
    error: str | None = None


Parse = Callable[[dict[str, Any]], Any]
"""From the object on a line to what the work takes. Raises BadLine."""
Work = Callable[[Sequence[Any]], Sequence[dict[str, Any]]]
"""From a batch of those to as many results, in order."""


def run(parse: Parse, work: Work, batch: int = BATCH) -> int:
    """Answer every line of standard input with one line, in order. Returns the exit code: 1 if any line was bad."""
    bad = False
    try:
        for group in batches(batch):
            results = answer([_parsed(line, parse) for line in group], work)
            bad = bad or any("error" in result for result in results)
            _print(results)
    except BrokenPipeError:  # whoever read us has had enough, as with `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return int(bad)


def answer(group: Sequence[Line], work: Work) -> list[dict[str, Any]]:
    """One result a line; the good ones are worked on together, and one by one if that fails."""
    good = [line for line in group if line.error is None]
    try:
        done = list(work([line.value for line in good])) if good else []
    except Exception:
        done = [_alone(line, work) for line in good]
    results = {line.number: result for line, result in zip(good, done, strict=True)}
    return [results.get(line.number) or {"error": line.error, "line": line.number} for line in group]


def _alone(line: Line, work: Work) -> dict[str, Any]:
    """One odd line must not cost its neighbours their results."""
    try:
        return work([line.value])[0]
    except Exception as error:
        return {"error": str(error) or type(error).__name__, "line": line.number}


def batches(size: int) -> Iterator[list[Line]]:
    """Lines of standard input: at least one, and up to ``size`` if they have arrived already."""
    waiting: queue.Queue[Line | None] = queue.Queue(READ_AHEAD)
    threading.Thread(target=_fill, args=(sys.stdin.fileno(), waiting), daemon=True).start()
    over = False
    while not over:
        group = [waiting.get()]
        while group[-1] is not None and len(group) < size:
            try:
                group.append(waiting.get_nowait())
            except queue.Empty:
                break
        over = group[-1] is None
        if kept := [line for line in group if line is not None]:
            yield kept


def _fill(descriptor: int, waiting: "queue.Queue[Line | None]") -> None:
    """Split what arrives into lines. Reads the descriptor itself: a buffered reader would wait for a full block."""
    rest, number = b"", 0
    while block := os.read(descriptor, BLOCK):
        *whole, rest = (rest + block).split(b"\n") if b"\n" in block else (rest + block,)
        for raw in whole:
            number += 1
            waiting.put(_line(number, raw))
    if rest.strip():
        waiting.put(_line(number + 1, rest))
    waiting.put(None)


def _line(number: int, raw: bytes) -> Line:
    try:
        value = json.loads(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw)
    except (ValueError, RecursionError) as error:
        return Line(number, error=f"not JSON: {error}" if raw.strip() else "the line is empty")
    if not isinstance(value, dict):
        return Line(number, error=f"expected an object, got {type(value).__name__}")
    return Line(number, value)


def _parsed(line: Line, parse: Parse) -> Line:
    if line.error is not None:
        return line
    try:
        return Line(line.number, parse(line.value))
    except BadLine as error:
        return Line(line.number, error=str(error))


def text_of(value: Any, what: str = "text") -> str:
    """A text that can be worked on. Raises BadLine."""
    if not isinstance(value, str):
        raise BadLine(f"{what} must be a string" if value is not None else f"{what} is missing")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise BadLine(f"{what} holds half a surrogate pair, which is no character") from None
    return value


def _print(results: Sequence[dict[str, Any]]) -> None:
    sys.stdout.write("".join(json.dumps(result) + "\n" for result in results))
    sys.stdout.flush()
