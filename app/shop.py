"""A shop's YAML file: load it, check it, and say line and key when something is wrong."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from handoff.costs import Bad, Costs
from models.base import Entry

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
BLANKS = ("{name}", "{agent}", "{shop}")
"""What a canned reply leaves open: the customer's name, the agent's, the shop's."""


class ShopError(Exception):
    """The shop's file cannot be used; the message names file, line and key."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Link(_Strict):
    """Where an answer leads."""

    label: str
    url: str

    @field_validator("url")
    @classmethod
    def _safe(cls, url: str) -> str:
        if not url.startswith(("https://", "http://", "/", "mailto:")):
            raise ValueError("a link begins with https://, http://, mailto: or /")
        return url


class FaqEntry(_Strict):
    """One question the bot can answer."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    topic: str = "other"
    question: str = Field(min_length=3)
    examples: tuple[str, ...] = ()
    answer: str = Field(min_length=3)
    next_step: str = ""
    link: Link | None = None
    follow_ups: tuple[str, ...] = ()


class Contact(_Strict):
    """How else the shop can be reached."""

    email: str = ""
    phone: str = ""
    address: str = ""


class Holiday(_Strict):
    """A day on which nobody is at the desk."""

    date: date
    name: str = ""


class Handoff(_Strict):
    """How bad the two mistakes are to this shop: not at all, a little, bad, very bad."""

    needless_handoff: Bad = Costs.needless_handoff
    missed_customer: Bad = Costs.missed_customer

    @property
    def costs(self) -> Costs:
        """As the policy takes them."""
        return Costs(self.needless_handoff, self.missed_customer)


class Reply(_Strict):
    """A canned reply that agents put into their composer by ``/shortcut``."""

    shortcut: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    title: str = ""
    text: str = Field(min_length=3)
    examples: tuple[str, ...] = ()
    """What customers write when it suits; by these it is suggested."""

    @field_validator("text")
    @classmethod
    def _known_blanks(cls, text: str) -> str:
        unknown = set(re.findall(r"\{[^{}]*\}", text)) - set(BLANKS)
        if unknown:
            raise ValueError(f"{', '.join(sorted(unknown))} cannot be filled in; use {', '.join(BLANKS)}")
        return text

    def filled(self, *, name: str | None, agent: str, shop: str) -> str:
        """The text for one customer; without a name it speaks as if none had been asked for."""
        text = self.text
        if not name:
            text = re.sub(r"^\{name\}[,:]?\s*|(,?\s*)\{name\}", "", text)
            text = text[:1].upper() + text[1:]
        values = {"{name}": name or "", "{agent}": agent, "{shop}": shop}
        return re.sub("|".join(map(re.escape, BLANKS)), lambda blank: values[blank.group()], text)


class Privacy(_Strict):
    """What may be kept of a customer's visit beyond what they write."""

    referrer: bool = False
    """The page that led to the one with the chat, without its query."""


class Shop(_Strict):
    """One shop, as its YAML file describes it (docs/shop-file.md)."""

    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    name: str
    about: str = ""
    languages: tuple[str, ...] = ("en",)
    timezone: str = "UTC"
    tone: Literal["warm", "plain", "formal"] = "warm"
    currency: str = ""
    contact: Contact = Contact()
    hours: Mapping[str, tuple[str, ...]] = {}
    holidays: tuple[Holiday, ...] = ()
    handoff: Handoff = Handoff()
    safety_help: str = "If someone is in danger, please call your local emergency number now."
    links: Mapping[str, str] = {}
    emotion_labels: Mapping[str, Literal["frustrated", "confused", "worried", "pleased", "neutral"]] = {}
    """What the labels of another classifier (WARMLINE_EMOTION_MODEL) mean; labels left out speak for no state."""
    privacy: Privacy = Privacy()
    products: tuple[Annotated[str, Field(min_length=2, pattern=r"\S")], ...] = ()
    """What the shop sells, in the singular, as customers call it; agents see at once which of them was named."""
    replies: tuple[Reply, ...] = ()
    faq: tuple[FaqEntry, ...] = Field(min_length=1)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)  # read from disk here, once, and kept by zoneinfo
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("not a time zone; use a name such as Europe/London") from None
        return name

    @field_validator("hours")
    @classmethod
    def _readable_hours(cls, hours: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        for day, spans in hours.items():
            if day not in DAYS:
                raise ValueError(f"'{day}' is not a day; use {', '.join(DAYS)}")
            for span in spans:
                _span(span)
        return hours

    @model_validator(mode="after")
    def _references(self) -> "Shop":
        ids = [entry.id for entry in self.faq]
        twice = {i for i in ids if ids.count(i) > 1}
        if twice:
            raise ValueError(f"these FAQ ids are used twice: {', '.join(sorted(twice))}")
        shortcuts = [reply.shortcut for reply in self.replies]
        twice = {s for s in shortcuts if shortcuts.count(s) > 1}
        if twice:
            raise ValueError(f"these reply shortcuts are used twice: {', '.join(sorted(twice))}")
        for entry in self.faq:
            unknown = set(entry.follow_ups) - set(ids)
            if unknown:
                raise ValueError(f"entry '{entry.id}' follows up with unknown ids: {', '.join(sorted(unknown))}")
        return self

    def entry(self, entry_id: str) -> FaqEntry | None:
        """The FAQ entry with this id."""
        return next((entry for entry in self.faq if entry.id == entry_id), None)

    def entries(self) -> list[Entry]:
        """The FAQ as the matcher sees it."""
        return [Entry(e.id, (e.question, *e.examples), e.answer) for e in self.faq]

    def opens_next(self, now: datetime) -> str | None:
        """When people are back, in the shop's own time and words: "today at 09:00"; None if hours are not given."""
        opens = self.opens_at(now)
        if opens is None:
            return None
        ahead = (opens.date() - now.astimezone(opens.tzinfo).date()).days
        return f"{_day_words(opens.date(), ahead)} at {opens:%H:%M}"

    def midnight(self, now: datetime) -> datetime:
        """When the present day began in the shop's time."""
        return now.astimezone(ZoneInfo(self.timezone)).replace(hour=0, minute=0, second=0, microsecond=0)

    def opens_at(self, now: datetime) -> datetime | None:
        """When people are back, in the shop's time zone; None while it is open, and if hours are not given."""
        zone = ZoneInfo(self.timezone)
        local = now.astimezone(zone)
        closed = {holiday.date for holiday in self.holidays}
        for ahead in range(15):
            day = local.date() + timedelta(days=ahead)
            if day in closed:
                continue
            for start, end in sorted(_span(span) for span in self.hours.get(DAYS[day.weekday()], ())):
                if ahead == 0 and end <= local.time():
                    continue
                if ahead == 0 and start <= local.time():
                    return None
                return datetime.combine(day, start, zone)
        return None


def _span(text: str) -> tuple[time, time]:
    try:
        start, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        raise ValueError(f"'{text}' is not a span of time; write \"09:00-17:30\"") from None
    if start >= end:
        raise ValueError(f"'{text}' ends before it begins")
    return start, end


def _day_words(day: date, ahead: int) -> str:
    """Today, tomorrow, on Monday; from a week on with the date, so that no other Monday is meant."""
    if ahead < 2:
        return ("today", "tomorrow")[ahead]
    name = DAYS[day.weekday()].capitalize()
    return f"on {name}" if ahead < 7 else f"on {name}, {day.day} {day:%B}"


def load_shop(path: Path) -> Shop:
    """Read and check a shop's file. Raises ShopError naming line and key."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except OSError as error:
        raise ShopError(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise ShopError(f"{path}: is not UTF-8 (byte {error.start}).") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ShopError(f"{path}, line {line}: holds a character that YAML does not allow.") from error
    except ValueError as error:  # a bare date or time that does not exist
        raise ShopError(f"{path}, line {_impossible_line(node)}: {error}. Quote dates and times.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else "?"
        raise ShopError(f"{path}, line {line}: not valid YAML ({error.problem or error.context}).") from error
    if not isinstance(raw, dict):
        raise ShopError(f"{path}, line 1: expected keys such as id, name and faq.")
    try:
        return Shop.model_validate(raw)
    except ValidationError as error:
        raise ShopError("\n".join(_problem(path, node, e["loc"], e["msg"]) for e in error.errors())) from error


def _impossible_line(node: yaml.Node | None) -> int:
    """The line of the first bare date or time that does not exist; 1 when there is none."""
    if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":timestamp"):
        try:
            yaml.SafeLoader("").construct_yaml_timestamp(node)
        except ValueError:
            return node.start_mark.line + 1
    below: list[yaml.Node] = []
    if isinstance(node, yaml.SequenceNode):
        below = node.value
    elif isinstance(node, yaml.MappingNode):
        below = [value for _, value in node.value]
    return next((line for child in below if (line := _impossible_line(child)) > 1), 1)


def _problem(path: Path, node: yaml.Node | None, loc: Sequence[Any], message: str) -> str:
    key = ".".join(str(part) for part in loc) or "(file)"
    return f"{path}, line {_line_of(node, loc)}, key {key}: {message}"


def _line_of(node: yaml.Node | None, loc: Sequence[Any]) -> int:
    """The line of the deepest node on the way to ``loc`` that exists."""
    line = 1
    for part in loc:
        child: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(part)), None)
            if found:
                line, child = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            child = node.value[part]
            line = child.start_mark.line + 1
        if child is None:
            return line
        node = child
    return line
