"""From turns to numbers: moods that stay weigh more, repeats are counted once each, talk is no question."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.signals import CustomerTurn, Signals, signals_of


def turn(text: str = "Where is my parcel?", frustrated: float = 0.0, **given) -> CustomerTurn:
    states = {"frustrated": frustrated, "neutral": 1 - frustrated} | given.pop("states", {})
    return CustomerTurn(given.pop("message_id", "m"), text, states, **given)


def levels(*frustration: float) -> float:
    return signals_of([turn(f"text {i}", f) for i, f in enumerate(frustration)]).frustration_level


def test_one_calm_message_has_no_distress() -> None:
    found = signals_of([turn(outcome="answer", message_id="m7")])
    assert found == Signals(outcome="answer", state="neutral", message_id="m7")


def test_the_level_of_one_message_is_its_own_frustration() -> None:
    assert levels(0.8) == pytest.approx(0.8)


def test_the_level_fades_while_the_customer_is_calm() -> None:
    assert levels(0.8, 0.0) == pytest.approx(0.6 * 0.8)
    assert levels(0.8, 0.0, 0.0) == pytest.approx(0.6 * 0.6 * 0.8)


def test_a_new_outburst_counts_at_once_and_in_full() -> None:
    assert levels(0.1, 0.1, 0.9) == pytest.approx(0.9)


def test_a_slightly_calmer_message_lowers_the_level_only_a_little() -> None:
    assert levels(0.8, 0.7) == pytest.approx(0.6 * 0.8 + 0.4 * 0.7)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_the_level_stays_between_the_last_message_and_the_peak(frustration: list[float]) -> None:
    assert frustration[-1] - 1e-9 <= levels(*frustration) <= max(frustration) + 1e-9


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.data())
@settings(max_examples=60, deadline=None)
def test_the_level_never_falls_when_any_message_is_more_frustrated(frustration: list[float], data) -> None:
    i = data.draw(st.integers(0, len(frustration) - 1))
    more = [*frustration[:i], data.draw(st.floats(frustration[i], 1)), *frustration[i + 1 :]]
    assert levels(*more) >= levels(*frustration) - 1e-9


@pytest.mark.parametrize(
    ("frustration", "trend"), [((0.5,), 0.0), ((0.2, 0.6), 0.4), ((0.9, 0.1, 0.3, 0.5), 0.2), ((0.9, 0.1), 0.0)]
)
def test_the_trend_is_the_rise_per_turn_over_three_and_never_negative(frustration, trend: float) -> None:
    found = signals_of([turn(f"text {i}", f) for i, f in enumerate(frustration)])
    assert found.frustration_trend == pytest.approx(trend)


def test_now_and_peak_are_of_the_last_and_of_the_worst_message() -> None:
    found = signals_of([turn("a", 0.9), turn("b", 0.2, states={"confused": 0.4, "worried": 0.3})])
    assert (found.frustration_now, found.frustration_peak) == (0.2, 0.9)
    assert (found.confusion_now, found.worry_now) == (0.4, 0.3)


def test_upset_turns_are_counted_from_one_half() -> None:
    found = signals_of([turn("a", 0.5), turn("b", 0.49), turn("c", 0.0, states={"confused": 0.5})])
    assert (found.frustrated_turns, found.confused_turns) == (1, 1)


def test_flags_are_those_of_the_last_message_only() -> None:
    found = signals_of([turn("a", flagged=["safety"]), turn("b", flagged=["abusive", "asked_for_human"])])
    assert (found.safety, found.abusive, found.asked_for_human) == (False, True, True)


def test_the_same_words_again_are_a_repeat_whatever_the_case_and_spaces() -> None:
    assert signals_of([turn("Where is it?"), turn(" where  IS it? ")]).repeats == 1


def test_other_words_are_no_repeat_without_vectors() -> None:
    assert signals_of([turn("Where is it?"), turn("When does it come?")]).repeats == 0


def test_other_words_with_nearly_the_same_vector_are_a_repeat() -> None:
    angle = math.acos(0.83)
    asked = turn("Where is it?", vector=(1.0, 0.0))
    again = turn("When does it come?", vector=(math.cos(angle), math.sin(angle)))
    assert signals_of([asked, again]).repeats == 1


def test_a_vector_just_below_the_mark_is_another_question() -> None:
    angle = math.acos(0.81)
    asked = turn("Where is it?", vector=(1.0, 0.0))
    other = turn("What does it cost?", vector=(math.cos(angle), math.sin(angle)))
    assert signals_of([asked, other]).repeats == 0


def test_a_question_asked_three_times_was_repeated_twice() -> None:
    assert signals_of([turn("Where is it?")] * 3).repeats == 2


def test_saying_hello_or_thanks_twice_repeats_no_question() -> None:
    assert signals_of([turn("thanks", outcome="smalltalk"), turn("thanks", outcome="smalltalk")]).repeats == 0


@pytest.mark.parametrize("act", ["answer", "clarify", "offer", "unknown"])
def test_still_upset_after_the_bot_did_something_means_unhelped(act: str) -> None:
    assert signals_of([turn("a", act=act), turn("b", 0.6)]).unhelped == 1
    assert signals_of([turn("a", act=act), turn("b", states={"confused": 0.6})]).unhelped == 1


def test_calm_after_an_answer_means_helped() -> None:
    assert signals_of([turn("a", 0.9, act="answer"), turn("b", 0.1)]).unhelped == 0


@pytest.mark.parametrize("act", ["smalltalk", None])
def test_upset_when_the_bot_had_not_tried_yet_is_not_unhelped(act: str | None) -> None:
    assert signals_of([turn("a", 0.9, act=act), turn("b", 0.9)]).unhelped == 0


def test_misses_are_counted_in_a_row_up_to_now() -> None:
    missed = {"outcome": "unknown"}
    assert signals_of([turn("a", **missed), turn("b", outcome="answer"), turn("c", **missed)]).misses == 1
    assert signals_of([turn("a", **missed), turn("b", **missed)]).misses == 2
    assert signals_of([turn("a", **missed), turn("b", outcome="answer")]).misses == 0


def test_clarifications_are_counted_in_a_row_before_now() -> None:
    asked_back = {"act": "clarify"}
    assert signals_of([turn("a", **asked_back), turn("b")]).clarifications == 1
    assert signals_of([turn("a", **asked_back), turn("b", **asked_back), turn("c")]).clarifications == 2
    assert signals_of([turn("a", **asked_back), turn("b", act="answer"), turn("c")]).clarifications == 0
    assert signals_of([turn("a")]).clarifications == 0


def test_what_was_declined_is_remembered_as_it_was_at_that_moment() -> None:
    turns = [turn("a", 0.8), turn("b", 0.0), turn("c", 0.9)]
    declined = signals_of(turns, declined_after=2).declined
    assert declined is not None
    assert (declined.turns, declined.frustration_level) == (2, pytest.approx(0.48))
    assert signals_of(turns).declined is None


@pytest.mark.parametrize(
    "text", ["my wedding is on Saturday", "I was charged twice", "it cost £250", "it is my last of my money",
             "my daughter is allergic", "somebody hacked my account", "My FLIGHT leaves tomorrow", "€ 1000 gone"]
)  # fmt: skip
def test_what_is_at_stake_is_noticed(text: str) -> None:
    assert signals_of([turn(text), turn("please?")]).stakes


@pytest.mark.parametrize("text", ["it cost £25", "where is my parcel", "what current does it need", "a courtesy"])
def test_an_ordinary_matter_has_no_stakes(text: str) -> None:
    assert not signals_of([turn(text)]).stakes


def test_a_message_that_was_never_read_is_taken_as_calm() -> None:
    found = signals_of([CustomerTurn("m", "hello", {})])
    assert (found.state, found.frustration_now) == ("neutral", 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "no, I asked about the blue one", "that is not what I asked", "as I said, it never came", "No! my order",
        "i already told you that", "you're not listening", "that doesn't help", "wrong answer", "read my message",
        "i'm not asking about delivery",
    ],
)  # fmt: skip
def test_putting_the_bot_right_is_noticed(text: str) -> None:
    assert signals_of([turn(), turn(text)]).corrections == 1


@pytest.mark.parametrize(
    "text", ["no thanks", "no worries", "thanks, that helps", "I would like to ask about delivery", "is it not blue?"]
)
def test_what_only_looks_like_a_correction_is_none(text: str) -> None:
    assert signals_of([turn(), turn(text)]).corrections == 0


def test_a_first_message_corrects_nobody() -> None:
    assert signals_of([turn("as I said on the phone, it never came")]).corrections == 0


def test_answers_that_fit_less_and_less_are_a_fall_and_better_ones_are_none() -> None:
    def fall(*scores: float) -> float:
        return signals_of([turn(f"question {i}", outcome="answer", score=s) for i, s in enumerate(scores)]).falling

    assert fall(0.9, 0.5, 0.3) == pytest.approx(0.6)
    assert fall(0.3, 0.9) == 0
    assert fall(0.9) == 0
    assert fall(0.9, 0.8, 0.8, 0.8) == 0, "only the last three questions count"


def test_a_language_counts_only_where_the_shop_does_not_speak_it() -> None:
    german = [turn("Wo ist mein Paket, ich warte schon lange?", language="de")]
    assert signals_of(german).language == "de"
    assert signals_of(german, spoken=("en", "de")).language is None
