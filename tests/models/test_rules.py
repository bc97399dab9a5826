"""The word-list reader: always there, always the same, and never wrong about what is spelled out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.base import FLAGS, STATES, Reading, Utterance
from models.rules import RulesReader, flags_of, names_someone, states_of

READER = RulesReader()


def read(text: str) -> Reading:
    return READER.read([Utterance(text)])[0]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("This is ridiculous, I am fed up", "frustrated"),
        ("WHERE IS MY PARCEL ANSWER ME", "frustrated"),
        ("I don't understand, this makes no sense", "confused"),
        ("I don’t understand", "confused"),  # the apostrophe a telephone types
        ("I am really worried, please help", "worried"),
        ("Thank you, that is perfect", "pleased"),
        ("Do you sell lamps?", "neutral"),
        ("", "neutral"),
        ("😀😀😀", "neutral"),
    ],
)
def test_plain_words_for_a_feeling_are_read_as_it(text: str, state: str) -> None:
    assert read(text).state == state


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("Can I speak to a real person please", "asked_for_human"),
        ("get me a manager", "asked_for_human"),
        ("I want a human", "asked_for_human"),
        ("you are useless", "abusive"),
        ("fuck off", "abusive"),
        ("I want to die", "safety"),
        ("the kettle is on fire", "safety"),
        ("my toddler swallowed the battery", "safety"),
    ],
)
def test_plain_words_for_a_flag_raise_it(text: str, flag: str) -> None:
    assert flag in read(text).flagged


@pytest.mark.parametrize(
    "text",
    ["Where is my parcel?", "The lamp is useless", "I spoke to my husband about the colour", "is it fireproof",
     "personal gifts", "Can I return it?"],
)  # fmt: skip
def test_ordinary_messages_raise_no_flag(text: str) -> None:
    assert read(text).flagged == ()


@given(st.text(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_text_has_a_whole_reading(text: str) -> None:
    reading = read(text)
    assert tuple(reading.states) == STATES
    assert tuple(reading.flags) == FLAGS
    assert sum(reading.states.values()) == pytest.approx(1)
    assert all(0 <= p <= 1 for p in (*reading.states.values(), *reading.flags.values()))


def test_one_reading_for_each_utterance_in_order() -> None:
    texts = ["thanks a lot", "this is awful", "hm"]
    assert [r.state for r in READER.read([Utterance(t) for t in texts])] == ["pleased", "frustrated", "neutral"]
    assert READER.read([]) == []


def test_words_inside_other_words_do_not_count() -> None:
    assert states_of("a greatcoat and a jokester")["neutral"] == 1.0
    assert flags_of("impersonal")["asked_for_human"] == 0.0


def test_a_tie_goes_to_the_first_of_the_states() -> None:
    assert Reading(dict.fromkeys(STATES, 0.2), {}).state == "frustrated"


def test_a_reading_says_who_read_it_and_is_ready_for_json() -> None:
    plain = read("thank you").as_dict()
    assert (plain["model"], plain["state"]) == ("rules", "pleased")
    assert all(round(v, 4) == v for v in plain["states"].values())


@pytest.mark.parametrize(
    "text", ["you are useless", "whoever packed this is thick", "fuck off", "utter cretins", "stupid bot"]
)
def test_an_insult_names_someone(text: str) -> None:
    assert names_someone(text)


@pytest.mark.parametrize("text", ["I am furious", "This is ridiculous", "so frustrating", "this is bullshit", "ARGH"])
def test_plain_anger_names_nobody(text: str) -> None:
    assert not names_someone(text)
