"""Puts what the bot has to say into words, by act, state and tone.

``templates/<locale>/openings/<act>.<state>.j2`` holds one opening a line; a line that begins with ``formal:``
is for shops with a formal tone. ``templates/<locale>/bodies/<act>.j2`` puts opening and content together.
``topics.yaml`` names the customer's trouble. All of it is data: a shop's language is a new folder.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

TEMPLATES = Path(__file__).parent / "templates"
CALM = frozenset({"neutral", "pleased"})
FORMAL = "formal:"
STAND_ALONE = frozenset({"answer", "offer", "unknown"})
"""Acts whose body says enough without an opening."""


@dataclass(frozen=True)
class Spoken:
    """A text and the opening it began with, so that the next turn can choose another."""

    text: str
    opening: str


class Voice:
    """Speaks one language in one tone: ``warm``, ``plain`` (no opening for the calm) or ``formal``.

    ``mail`` says whether answers can be sent by mail; only then are they promised there.
    """

    def __init__(self, locale: str = "en", tone: str = "warm", folder: Path = TEMPLATES, *, mail: bool = False) -> None:
        self.tone = tone
        self._env = Environment(
            loader=FileSystemLoader(folder / locale), undefined=StrictUndefined, autoescape=False,  # noqa: S701 - plain text, shown with textContent
            trim_blocks=True, lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip
        self.mail = mail
        self._env.globals["mail"] = mail
        self._openings: dict[tuple[str, str], Sequence[str]] = {}
        self._compiled: dict[str, Template] = {}
        self._topics: dict[str, str] = yaml.safe_load((folder / locale / "topics.yaml").read_text(encoding="utf-8"))
        self._foreign: dict[str, str] = yaml.safe_load((folder / locale / "foreign.yaml").read_text(encoding="utf-8"))

    def trouble(self, topic: str | None) -> str:
        """The customer's trouble by topic, as in "the trouble with your order"."""
        return self._topics.get(topic or "", self._topics["other"])

    def foreign(self, language: str | None) -> str:
        """That this voice does not speak ``language``, said in it; empty where no words are known."""
        return self._foreign.get(language or "", "")

    def say(self, act: str, state: str, *, name: str | None = None, topic: str | None = None, seed: int = 0,
            last_opening: str = "", **content: Any) -> Spoken:  # fmt: skip
        """Text for ``act`` in ``state``; another opening than ``last_opening`` wherever there is a choice."""
        context: dict[str, Any] = {"state": state, "name": name, "trouble": self.trouble(topic), **content}
        opening = self._opening(act, state, context, seed, last_opening)
        body = self._env.get_template(f"bodies/{act}.j2").render(opening=opening, **context)
        return Spoken("\n\n".join(part.strip() for part in body.split("\n\n") if part.strip()), opening)

    def line(self, name: str, **content: Any) -> str:
        """A system line, such as who joined or how long it will take."""
        return self._env.get_template(f"lines/{name}.j2").render(**content).strip()

    def _opening(self, act: str, state: str, context: Mapping[str, Any], seed: int, last: str) -> str:
        if self.tone == "plain" and state in CALM and act in STAND_ALONE:
            return ""
        lines = self.openings(act, state)
        spoken = [self._template(line).render(**context).strip() for line in lines]
        fresh = [text for text in spoken if text != last] or spoken
        return fresh[seed % len(fresh)]

    def _template(self, line: str) -> Template:
        """Compiling takes longer than speaking, so each line is compiled once."""
        if line not in self._compiled:
            self._compiled[line] = self._env.from_string(line)
        return self._compiled[line]

    def openings(self, act: str, state: str) -> Sequence[str]:
        """The opening templates for ``act`` in ``state``, in this voice's tone; read once."""
        if (act, state) not in self._openings:
            self._openings[act, state] = self._read_openings(act, state)
        return self._openings[act, state]

    def _read_openings(self, act: str, state: str) -> Sequence[str]:
        source, _, _ = self._env.loader.get_source(self._env, f"openings/{act}.{state}.j2")  # type: ignore[union-attr]
        lines = [line.strip() for line in source.splitlines() if line.strip()]
        formal = [line.removeprefix(FORMAL).strip() for line in lines if line.startswith(FORMAL)]
        return formal if self.tone == "formal" else [line for line in lines if not line.startswith(FORMAL)]
