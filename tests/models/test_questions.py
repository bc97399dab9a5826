"""Questions of one message, and order numbers and addresses that are no part of a question."""

import time

import pytest

from models.questions import is_reference, split_questions, without_references


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("where is my order? how do I return a mug?", ["where is my order?", "how do I return a mug?"]),
        ("when do I sow the chard and is it organic", ["when do I sow the chard", "is it organic"]),
        ("I want to cancel order 10482, and when will I have the money back?",
         ["I want to cancel order 10482", "when will I have the money back?"]),
        ("My jug is broken. Can I send it back?", ["My jug is broken", "Can I send it back?"]),
    ],
)  # fmt: skip
def test_questions_are_told_apart(text: str, parts: list[str]) -> None:
    assert split_questions(text) == parts


@pytest.mark.parametrize(
    "text", ["how do I return a mug", "cups and saucers", "do you post to Wales and Scotland?", "hi! ok.", "", "?!"]
)
def test_a_message_with_one_question_is_left_whole(text: str) -> None:
    assert split_questions(text) == [text]


@pytest.mark.parametrize("text", ["£38.40 and 3.95", "20 mugs", "in 2021", "BS7 9XX", "5 x 12", "a@b", "24/7"])
def test_amounts_years_and_postcodes_are_no_references(text: str) -> None:
    assert without_references(text) == text
    assert not is_reference(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("where is order #10482?", "where is order ?"), ("cancel HF-10482 please", "cancel please"),
        ("write to cora.s+x@example.co.uk about it", "write to about it"), ("ABC-123456/2", "ABC-123456/2"),
    ],
)  # fmt: skip
def test_references_are_left_out_of_a_question_but_never_leave_it_empty(text: str, plain: str) -> None:
    assert without_references(text) == plain


@pytest.mark.parametrize(
    "text", ["10482", "#10482", "order 10482", "it is cora@example.com", "Here's my order number: 10482"]
)
def test_a_reference_alone_asks_nothing(text: str) -> None:
    assert is_reference(text)


@pytest.mark.parametrize("text", ["where is 10482", "cancel order 10482", "track HF-10482", "10482 is late", "hello"])
def test_a_reference_with_a_question_is_a_question(text: str) -> None:
    assert not is_reference(text)


@pytest.mark.parametrize("text", ["1" * 16_000, "a@" * 8_000, "and is " * 3_000, "12345-" * 3_000, ". " * 8_000])
def test_no_text_takes_long_to_look_at(text: str) -> None:
    began = time.perf_counter()
    is_reference(text)
    without_references(text)
    split_questions(text)
    assert time.perf_counter() - began < 1.0
