"""The shop's file: what it may say, what is said of a broken one, and when people are back."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.config import DEMO_SHOP
from app.shop import Shop, ShopError, load_shop
from tests.serving import SHOP, SMALL_SHOP, inside, open_chat, settings_for

FAQ = [{"id": "one", "question": "What is one?", "answer": "The first."}]
LONDON = ZoneInfo("Europe/London")
Write = Callable[[str], Path]

GOOD = """\
id: corner-shop
name: Corner Shop
timezone: Europe/London
hours:
  monday: ["09:00-17:00"]
faq:
  - id: one
    question: What is one?
    answer: The first.
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to_file(text: str) -> Path:
        path = tmp_path / "shop.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return to_file


def shop(timezone: str = "Europe/London", **more: object) -> Shop:
    return Shop.model_validate({"id": "corner-shop", "name": "Corner Shop", "timezone": timezone, "faq": FAQ} | more)


@pytest.mark.parametrize("path", [DEMO_SHOP, SMALL_SHOP], ids=["demo", "small"])
def test_the_shops_that_come_with_it_can_be_loaded(path: Path) -> None:
    assert load_shop(path).id == "hazel-and-finch"


WITH_REPLIES = (
    GOOD
    + """\
replies:
  - shortcut: hello
    text: Hello {name}!
  - shortcut: bye
    text: Goodbye from {shop}
"""
)


@pytest.mark.parametrize(
    ("right", "wrong", "line", "said"),
    [
        ("{name}!", "{nmae}!", 12, "{nmae} cannot be filled in; use {name}, {agent}, {shop}"),
        ("shortcut: bye", "shortcut: Good bye", 13, "String should match pattern"),
        ("shortcut: bye", "shortcut: hello", 1, "these reply shortcuts are used twice: hello"),
    ],
)
def test_what_is_wrong_with_a_reply_is_said(write: Write, right: str, wrong: str, line: int, said: str) -> None:
    assert len(load_shop(write(WITH_REPLIES)).replies) == 2
    with pytest.raises(ShopError) as error:
        load_shop(write(WITH_REPLIES.replace(right, wrong)))
    assert f"line {line}," in str(error.value)
    assert said in str(error.value)


def test_a_small_good_file_is_loaded(write: Write) -> None:
    assert load_shop(write(GOOD)).name == "Corner Shop"


BROKEN = {
    "unknown key": ("name: Corner Shop", "nmae: Corner Shop", 2, "nmae"),
    "id with spaces": ("id: corner-shop", "id: Corner Shop!", 1, "id"),
    "unknown time zone": ("Europe/London", "Europe/Londno", 3, "timezone"),
    "unknown day": ("  monday:", "  mondag:", 4, "hours"),
    "no span": ("09:00-17:00", "nine to five", 4, "hours"),
    "span that ends first": ("09:00-17:00", "17:00-09:00", 4, "hours"),
    "answer too short": ("answer: The first.", "answer: x", 9, "faq.0.answer"),
    "entry with an unknown key": ("    answer:", "    anwser:", 9, "faq.0.anwser"),
    "a tone there is not": ("timezone: Europe/London", "tone: rude", 3, "tone"),
    "an unsafe link": ("    answer:", "    link: {label: x, url: 'javascript:x'}\n    answer:", 9, "faq.0.link.url"),
    "a holiday that is no day": ("hours:", "holidays: [{date: someday}]\nhours:", 4, "holidays.0.date"),
    "a holiday that does not exist": ("hours:", "holidays: [{date: '2026-02-30'}]\nhours:", 4, "holidays.0.date"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_file_is_named_with_line_and_key(write: Write, what: str) -> None:
    old, new, line, key = BROKEN[what]
    path = write(GOOD.replace(old, new))
    with pytest.raises(ShopError) as caught:
        load_shop(path)
    assert f"{path}, line {line}, key {key}: " in str(caught.value)


UNREADABLE = {
    "empty": ("", "line 1"),
    "a list": ("- one\n- two\n", "line 1"),
    "not YAML": ("id: [unclosed\nname: x\n", "line"),
    "a tab as indent": ("id: x\nhours:\n\tmonday: []\n", "line 3"),
    "a control character": (GOOD.replace("Corner Shop", "Corner\x07Shop"), "shop.yaml"),
    "a bare date that does not exist": (GOOD + "holidays:\n  - {date: 2026-02-30}\n", "line 11"),
    "an unknown tag": ("id: !!python/object:os.system x\n", "line 1"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_file_that_is_no_shop_is_refused_with_its_place(write: Write, what: str) -> None:
    text, place = UNREADABLE[what]
    path = write(text)
    with pytest.raises(ShopError) as caught:
        load_shop(path)
    assert str(path) in str(caught.value)
    assert place in str(caught.value)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_bytes(b"id: caf\xe9\n")
    with pytest.raises(ShopError, match=r"not UTF-8 \(byte 7\)"):
        load_shop(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ShopError, match=r"nowhere\.yaml: cannot be read"):
        load_shop(tmp_path / "nowhere.yaml")


def test_ids_that_are_used_twice_are_named() -> None:
    with pytest.raises(ValueError, match=r"used twice: one"):
        shop(faq=FAQ * 2)


def test_follow_ups_that_lead_nowhere_are_named() -> None:
    with pytest.raises(ValueError, match=r"unknown ids: two"):
        shop(faq=[FAQ[0] | {"follow_ups": ["two"]}])


def test_a_shop_needs_at_least_one_answer() -> None:
    with pytest.raises(ValueError, match="faq"):
        shop(faq=[])


def test_every_mistake_is_said_at_once(write: Write) -> None:
    with pytest.raises(ShopError) as caught:
        load_shop(write(GOOD.replace("Europe/London", "Nowhere").replace("monday", "mondag")))
    assert "timezone" in str(caught.value)
    assert "hours" in str(caught.value)


WEEK = {day: ["09:00-17:30"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday")}


@pytest.mark.parametrize(
    ("now", "back"),
    [
        ("2026-03-04 08:59", "today at 09:00"),
        ("2026-03-04 09:00", None),
        ("2026-03-04 17:29", None),
        ("2026-03-04 17:30", "tomorrow at 09:00"),
        ("2026-03-04 23:59", "tomorrow at 09:00"),
        ("2026-03-05 00:00", "today at 09:00"),
        ("2026-03-06 18:00", "on Monday at 09:00"),
        ("2026-03-07 12:00", "on Monday at 09:00"),
        ("2026-03-08 12:00", "tomorrow at 09:00"),
    ],
)
def test_when_people_are_back(now: str, back: str | None) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=LONDON)
    assert shop(hours=WEEK).opens_next(at) == back


def test_people_are_not_back_on_a_holiday() -> None:
    closed = shop(hours=WEEK, holidays=[{"date": "2026-03-05"}])
    assert closed.opens_next(datetime(2026, 3, 4, 18, tzinfo=LONDON)) == "on Friday at 09:00"


def test_on_a_holiday_nobody_is_there_within_the_hours_either() -> None:
    closed = shop(hours=WEEK, holidays=[{"date": "2026-03-04"}])
    assert closed.opens_next(datetime(2026, 3, 4, 10, tzinfo=LONDON)) == "tomorrow at 09:00"


def test_a_day_more_than_a_week_away_is_not_mistaken_for_the_next_one() -> None:
    """ "On Monday" would be read as the coming Monday, which is the holiday."""
    closed = shop(hours={"monday": ["09:00-12:00"]}, holidays=[{"date": "2026-03-09"}])
    said = closed.opens_next(datetime(2026, 3, 4, 10, tzinfo=LONDON))
    assert said is not None
    assert "16" in said


def test_hours_are_in_the_shops_own_time() -> None:
    tokyo = shop("Asia/Tokyo", hours=WEEK)
    assert tokyo.opens_next(datetime(2026, 3, 4, 23, tzinfo=UTC)) == "today at 09:00"
    assert tokyo.opens_next(datetime(2026, 3, 5, 0, 30, tzinfo=UTC)) is None


def test_hours_follow_the_clock_change() -> None:
    assert shop(hours=WEEK).opens_next(datetime(2026, 3, 30, 8, 15, tzinfo=UTC)) is None  # 09:15 in summer time


def test_after_a_break_people_are_back_the_same_day() -> None:
    split = shop(hours={"wednesday": ["09:00-12:00", "13:00-17:00"]})
    assert split.opens_next(datetime(2026, 3, 4, 12, 30, tzinfo=LONDON)) == "today at 13:00"


def test_the_earliest_span_counts_in_whatever_order_they_are_written() -> None:
    split = shop(hours={"wednesday": ["13:00-17:00", "09:00-12:00"]})
    assert split.opens_next(datetime(2026, 3, 4, 8, tzinfo=LONDON)) == "today at 09:00"


@pytest.mark.parametrize("hours", [{}, {"monday": []}], ids=str)
def test_without_hours_no_time_is_promised(hours: dict[str, list[str]]) -> None:
    assert shop(hours=hours).opens_next(datetime(2026, 3, 4, 8, tzinfo=LONDON)) is None


@pytest.fixture
def no_zone_in_memory() -> Iterator[None]:
    ZoneInfo.clear_cache()
    yield
    ZoneInfo("Europe/London")  # for the tests that follow, as tests/serving.py does


@pytest.mark.usefixtures("no_zone_in_memory")
async def test_the_first_question_for_hours_reads_no_file_on_the_event_loop(sqlite_file: Path, write: Write) -> None:
    path = write(GOOD.replace("Europe/London", "Pacific/Chatham").replace("corner-shop", SHOP))
    async with inside(settings_for(sqlite_file.parent, run_worker=False, shops=(path,))) as room:
        chat = await open_chat(room.db)
        assert (await room.http.put(f"{chat.path}/handoff", headers=chat.headers)).status_code == 200
