"""Progress bars on standard error, so that standard output stays the result."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

console = Console()
notices = Console(stderr=True)
T = TypeVar("T")


def bar(items: Sequence[T], what: str) -> Iterator[T]:
    """The items, with a bar that says how far it is."""
    yield from track(items, description=f"{what:<34}", console=notices, disable=not notices.is_terminal)


def chunks(items: Sequence[T], size: int) -> list[Sequence[T]]:
    """The items in slices of ``size``."""
    return [items[i : i + size] for i in range(0, len(items), size)]
