"""Small talk is the whole message or none of it: a question behind a hello is a question."""

import time

import pytest

from models.smalltalk import is_yes, smalltalk_kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("hi", "greeting"), ("Hello!", "greeting"), ("good morning", "greeting"), ("Hey there 👋", "greeting"),
        ("thanks", "thanks"), ("Thank you so much!!", "thanks"), ("ok thanks", "thanks"), ("Cheers mate", "thanks"),
        ("thanks, bye", "thanks"), ("ok", "acknowledgement"), ("Got it.", "acknowledgement"),
        ("no worries", "acknowledgement"), ("bye", "goodbye"), ("have a nice day", "goodbye"),
        ("are you a bot?", "bot_question"), ("Am I talking to a real person?", "bot_question"),
        ("who are you", "bot_question"), ("that’s all", "goodbye"), ("hi, are you a robot?", "bot_question"),
    ],
)  # fmt: skip
def test_what_is_only_small_talk_is_known_for_its_kind(text: str, kind: str) -> None:
    assert smalltalk_kind(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "hello where is my parcel", "thanks but it is still broken", "ok so how do I return it",
        "is this dishwasher safe",
        "no it did not help", "great, another delay", "", "   ", "?", "😡", "I want a refund", "hi I need help",
        "who are you to refuse my refund", "are you open on Sunday",
    ],
)  # fmt: skip
def test_a_message_that_says_anything_more_is_not_small_talk(text: str) -> None:
    assert smalltalk_kind(text) is None


def test_a_long_message_is_never_small_talk() -> None:
    assert smalltalk_kind("hello " * 12) is None


@pytest.mark.parametrize(
    "text", ["ok ok ok ok ok ok ok ok x", "hi so very much then all again please oh x", "x" * 16_000]
)
def test_no_text_takes_long_to_look_at(text: str) -> None:
    began = time.perf_counter()
    assert smalltalk_kind(text) is None
    assert time.perf_counter() - began < 1.0


@pytest.mark.parametrize("text", ["yes", "Yes please!", "ok", "sure, thanks", "yeah go ahead", "please do", "OK then"])
def test_a_plain_yes_is_one(text: str) -> None:
    assert is_yes(text)


@pytest.mark.parametrize(
    "text", ["ok so sticky = dark", "yes but where is it", "no", "ok, no thanks", "", "please refund me"]
)
def test_what_says_more_is_no_plain_yes(text: str) -> None:
    assert not is_yes(text)


def test_an_ok_is_no_firm_yes() -> None:
    assert is_yes("yes please", firm=True)
    assert not is_yes("ok", firm=True)
