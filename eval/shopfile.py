"""A shop's entries for the matcher, from a shop's file or from a plain list."""

import json
from pathlib import Path
from typing import Any

import yaml

from eval.data import Unusable
from models.base import Entry, SentenceEncoder
from models.catalog import ARTIFACTS
from models.faq import HybridMatcher, MatcherCalibration

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BadShopFile(Unusable):
    """The file cannot be used; the message names it and what is wrong."""


def load_entries(path: Path) -> list[Entry]:
    """Entries of a shop's file, or of a YAML or JSON list of objects with ``id`` and ``examples`` (or ``question``).

    Raises BadShopFile.
    """
    try:
        raw = _parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadShopFile(f"{path}: cannot be read ({error}).") from error
    rows = raw.get("faq", raw.get("entries")) if isinstance(raw, dict) else raw
    if not isinstance(rows, list) or not rows:
        raise BadShopFile(f"{path}: expected a list of entries, or a shop's file with a list under faq.")
    entries = [_entry(path, number, row) for number, row in enumerate(rows, 1)]
    twice = {e.id for e in entries if sum(o.id == e.id for o in entries) > 1} if len(entries) < 5000 else set()
    if twice:
        raise BadShopFile(f"{path}: these ids are used twice: {', '.join(sorted(twice))}.")
    return entries


def _parse(text: str) -> Any:
    try:
        return json.loads(text)  # thousands of examples load at once; as YAML they take many seconds
    except json.JSONDecodeError:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader either way


def _entry(path: Path, number: int, row: Any) -> Entry:
    if not isinstance(row, dict) or row.get("id") in (None, ""):
        raise BadShopFile(f"{path}, entry {number}: expected an object with an id.")
    examples = row.get("examples") or ()
    if not isinstance(examples, (list, tuple)) or not all(isinstance(e, str) for e in examples):
        raise BadShopFile(f"{path}, entry {number}: examples must be a list of texts.")
    phrasings = tuple(p for p in (row.get("question"), *examples) if p)
    if not phrasings:
        raise BadShopFile(f"{path}, entry {number} ({row['id']}): needs a question or examples.")
    return Entry(str(row["id"]), phrasings, row.get("answer") or "")


def shipped_calibration() -> MatcherCalibration:
    """The matcher's weights and thresholds as shipped."""
    return MatcherCalibration.load(ARTIFACTS / "encoder" / "matcher.json")


def matcher_for(path: Path, encoder: SentenceEncoder | None, cache: Path | None = None) -> HybridMatcher:
    """The shipped matcher over the entries of ``path``. Raises BadShopFile."""
    return HybridMatcher(load_entries(path), encoder, shipped_calibration(), cache)
