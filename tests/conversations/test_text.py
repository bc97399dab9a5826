"""What people type is kept as they typed it, whatever script or emoji; what is not text at all is refused."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.conversation import MAX_TEXT, clean_text
from conversations.errors import BadMessage


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("a\x00b", "ab"),
        ("\x00hello\x00", "hello"),
        ("bell\x07 escape\x1b[31m", "bell escape[31m"),
        ("a\x7fb\x85c", "abc"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("windows\r\nlines", "windows\nlines"),
        ("half of a \ud83d pair", "half of a  pair"),
        ("  spaces around \n", "spaces around"),
    ],
)
def test_control_characters_go_and_layout_stays(typed: str, kept: str) -> None:
    assert clean_text(typed) == kept


def test_what_is_kept_can_always_be_written_as_utf_8() -> None:
    assert clean_text("x\udcff\ud800y").encode() == b"xy"


@pytest.mark.parametrize(
    "typed",
    [
        "שלום \u200fעולם\u200f!",
        "\u202bمرحبا\u202c بك",
        "می\u200cخواهم",
        "👩\u200d👩\u200d👧\u200d👦 family",
        "❤\ufe0f",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "日本語のメッセージ",
        "ไม่เข้าใจ",
    ],
)
def test_marks_and_joiners_that_languages_and_emoji_need_stay(typed: str) -> None:
    assert clean_text(typed) == typed


def test_an_accent_typed_as_two_characters_is_kept_as_one() -> None:
    assert clean_text("cafe\u0301") == "café"


def test_five_thousand_emoji_are_kept() -> None:
    assert clean_text("😤" * 5000) == "😤" * 5000


def test_html_is_kept_as_the_text_it_is() -> None:
    html = "<script>alert('&amp;')</script> <b>bold</b> {{ 7 * 7 }} \\u0041"
    assert clean_text(html) == html


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "\n\t \n",
        "\u00a0\u2003\u3000",
        "\u200b",
        "\u200b\u200d\ufeff",
        "\u2060 \u200e\u200f",
        "\x00\x01",
        "\ud800",
    ],
)
def test_a_message_with_nothing_to_see_is_refused(typed: str) -> None:
    with pytest.raises(BadMessage, match="empty"):
        clean_text(typed)


@pytest.mark.parametrize("typed", [".", "?", "👍", "0", "ß", "\u0301a"])
def test_a_single_character_is_a_message(typed: str) -> None:
    assert clean_text(typed) == unicodedata.normalize("NFC", typed)


def test_exactly_the_longest_message_is_taken_whole() -> None:
    assert clean_text("x" * 16_000) == "x" * 16_000
    assert MAX_TEXT == 16_000


def test_one_character_more_is_refused_and_says_how_many() -> None:
    with pytest.raises(BadMessage, match="16,001"):
        clean_text("x" * 16_001)


def test_what_is_trimmed_does_not_count() -> None:
    assert clean_text("  " + "x" * 16_000 + "\n\n") == "x" * 16_000


@given(st.text(st.characters(), max_size=60))
@settings(max_examples=60, deadline=None)
def test_cleaning_twice_is_cleaning_once(typed: str) -> None:
    """The same message sent again must compare equal to what was kept of it."""
    try:
        once = clean_text(typed)
    except BadMessage:
        return
    assert clean_text(once) == once


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_no_visible_character_is_ever_lost(typed: str) -> None:
    visible = any(unicodedata.category(c)[0] not in "ZC" for c in unicodedata.normalize("NFC", typed))
    if visible:
        assert clean_text(typed) == unicodedata.normalize("NFC", typed)
    else:
        with pytest.raises(BadMessage):
            clean_text(typed)
