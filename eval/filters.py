"""``read``, ``match`` and ``replay``: anyone's own data through the reader, the matcher or the whole bot."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.shop import ShopError
from eval import lines, progress, readers
from eval.data import Unusable
from eval.lines import BadLine, text_of
from eval.playing import Bench, open_bench
from eval.shopfile import matcher_for
from models.base import EmotionReader, Match, Outcome, Reading, Utterance
from models.catalog import load_encoder

# --- read


def read(reader: str) -> int:
    """``{"text", "before"?}`` to ``{"state", "states", "emotions", "labels", "flagged", "flags"}``."""
    model: EmotionReader = readers.open_reader(reader)
    return lines.run(utterance_of, lambda batch: [reading_dict(r) for r in model.read(batch)])


def utterance_of(raw: dict[str, Any]) -> Utterance:
    """What the reader is given. Raises BadLine."""
    before = raw.get("before") or []
    if not isinstance(before, list):
        raise BadLine("before must be a list of strings, oldest first")
    return Utterance(text_of(raw.get("text")), tuple(text_of(b, "each of before") for b in before))


def reading_dict(reading: Reading) -> dict[str, Any]:
    """A reading as the filter prints it."""
    whole = reading.as_dict()
    return {key: whole[key] for key in ("state", "states", "emotions", "labels", "flagged", "flags")}


# --- match


def match(shop: Path, cache: Path | None) -> int:
    """``{"text"}`` to ``{"outcome", "id", "score", "candidates"}``. Raises BadShopFile."""
    loaded = load_encoder()
    if loaded.problem:
        progress.notices.print(f"[yellow]Words alone are matched:[/yellow] {loaded.problem}")
    matcher = matcher_for(shop, loaded.model, cache)
    return lines.run(lambda raw: text_of(raw.get("text")), lambda batch: [match_dict(m) for m in matcher.match(batch)])


def match_dict(found: Match) -> dict[str, Any]:
    """A match as the filter prints it.

    ``id`` is the best entry whatever the outcome, None when there is none; ``score`` is the probability that it
    is right, ``candidates`` carry similarities. Small talk is no entry of the shop, so its outcome is ``unknown``
    with no candidates and score 0.
    """
    is_smalltalk = found.outcome is Outcome.SMALLTALK
    return {
        "outcome": Outcome.UNKNOWN.value if is_smalltalk else found.outcome.value,
        "id": found.candidates[0].id if found.candidates else None,
        "score": 0.0 if is_smalltalk else round(found.probability, 4),
        "candidates": [{"id": c.id, "score": round(c.score, 4)} for c in found.candidates],
    }


# --- replay


@dataclass(frozen=True)
class Chat:
    """One conversation to play."""

    id: Any
    texts: tuple[str, ...]


def replay(reader: str, shop: Path | None) -> int:
    """``{"id", "messages": [{"text"}]}`` to ``{"id", "turns": [...]}``. Raises Unusable."""
    with asyncio.Runner() as runner:
        opened = open_bench(readers.open_reader(reader), shop)
        try:
            desk = runner.run(opened.__aenter__())
        except ShopError as error:
            raise Unusable(str(error)) from error
        try:
            return lines.run(chat_of, lambda batch: runner.run(play(desk, batch)), batch=1)
        finally:
            runner.run(opened.__aexit__(None, None, None))


def chat_of(raw: dict[str, Any]) -> Chat:
    """What is played. Raises BadLine."""
    messages = raw.get("messages")
    if not isinstance(messages, list):
        raise BadLine("messages must be a list of objects with a text")
    if not all(isinstance(m, dict) for m in messages):
        raise BadLine("each of messages must be an object with a text")
    return Chat(raw.get("id"), tuple(text_of(m.get("text"), "the text of each message") for m in messages))


async def play(desk: Bench, chats: Sequence[Chat]) -> list[dict[str, Any]]:
    """The conversations one after the other."""
    return [{"id": c.id, "turns": [turn.as_dict() for turn in await desk.play(c.texts)]} for c in chats]
