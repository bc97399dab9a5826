"""How the bot speaks: every act in every mood renders, never twice alike, and never cheerful to the upset."""

import re
from functools import cache
from itertools import product
from pathlib import Path

import pytest
import yaml

from conversations.voice.voice import TEMPLATES, Spoken, Voice
from handoff.desk import Wait
from handoff.policy import Act, Reason
from models.base import STATES

DEMO = Path(__file__).parents[2] / "app" / "shops" / "demo.yaml"
TONES = ("warm", "plain", "formal")
UPSET = ("frustrated", "worried")
KINDS = ("greeting", "thanks", "acknowledgement", "goodbye", "bot_question", "reference")
TOPICS = list(yaml.safe_load((TEMPLATES / "en" / "topics.yaml").read_text()))
VOICES = {tone: Voice("en", tone) for tone in TONES}
EVERYTHING = list(product(TONES, [a.value for a in Act], STATES))


def contents(act: str) -> list[dict]:
    """Everything that app/speech.py may pass for an act."""
    if act == "smalltalk":
        return [{"kind": kind} for kind in KINDS]
    if act == "handoff":
        return [{"reason": r.value, "safety_help": "Call 999."} for r in Reason if r is not Reason.FITS]
    others = [{"question": "Do you wrap gifts?", "answer": "Yes, for two pounds."}]
    answers = [
        {"answer": "We post daily.", "next_step": step, "also": also}
        for step, also in (("Open the link.", []), ("", []), ("Open the link.", others))
    ]
    everything = answers if act == "answer" else [*answers, {"answer": "", "next_step": ""}]
    if act != "offer":
        return everything
    return [
        content | {"desk": desk, "opens": opens, "foreign": foreign}
        for content in everything
        for desk, opens in (("free", None), ("full", None), ("closed", "tomorrow at 09:00"), ("closed", None))
        for foreign in ("", "Ich kann leider nur auf Englisch antworten.")
    ]


@cache
def all_ways(tone: str, act: str, state: str) -> list[Spoken]:
    """Every text of an act in a state: each content, opening, topic of note, with a name and without."""
    return [
        VOICES[tone].say(act, state, name=name, topic=topic, seed=seed, **content)
        for content in contents(act)
        for seed in range(3)
        for topic in (None, "orders")
        for name in (None, "Cora")
    ]


@pytest.mark.parametrize(("tone", "act", "state"), EVERYTHING)
def test_every_act_has_words_in_every_state_and_tone(tone: str, act: str, state: str) -> None:
    for spoken in all_ways(tone, act, state):
        assert spoken.text.strip(), "the bot would send an empty bubble"
        assert not re.search(r"\{\{|\{%|\{#|None|formal:| ,|,,|\.\.| {2}", spoken.text), spoken.text


@pytest.mark.parametrize(("tone", "act", "state"), EVERYTHING)
def test_without_a_name_no_name_is_said_and_with_one_it_is_said_at_most_once(tone: str, act: str, state: str) -> None:
    for content in contents(act):
        for seed in range(3):
            assert "Cora" not in VOICES[tone].say(act, state, seed=seed, **content).text
            assert VOICES[tone].say(act, state, name="Cora", seed=seed, **content).text.count("Cora") <= 1


@pytest.mark.parametrize("name", [None, "Cora"])
@pytest.mark.parametrize(("tone", "act", "state"), [e for e in EVERYTHING if e[0] != "formal" and e[1] != "smalltalk"])
def test_the_same_opening_never_comes_twice_running(tone: str, act: str, state: str, name: str | None) -> None:
    if tone == "plain" and state in ("neutral", "pleased"):
        return  # no opening at all
    for seed in range(3):
        last = ""
        for turn in range(6):
            spoken = VOICES[tone].say(act, state, name=name, seed=seed + turn, last_opening=last, **contents(act)[0])
            assert spoken.opening != last
            last = spoken.opening


def test_a_formal_shop_has_a_choice_of_openings_too() -> None:
    """Otherwise a customer who is frustrated three times reads "We are sorry for the trouble" three times."""
    acts = [a.value for a in Act if a is not Act.SMALLTALK]
    assert [e for e in product(acts, STATES) if len(VOICES["formal"].openings(*e)) < 2] == []


@pytest.mark.parametrize(("tone", "act", "state"), [e for e in EVERYTHING if e[2] in UPSET])
def test_nothing_exclaims_to_someone_who_is_upset(tone: str, act: str, state: str) -> None:
    for spoken in all_ways(tone, act, state):
        assert "!" not in spoken.text, spoken.text


@pytest.mark.parametrize(("tone", "act", "state"), [e for e in EVERYTHING if e[2] in UPSET])
def test_nothing_jokes_or_cheers_with_someone_who_is_upset(tone: str, act: str, state: str) -> None:
    cheer = re.compile(
        r"\b(lovely|glad|happy|great|yay|haha|oops|no worries|good question|awesome|pleasure)\b"
        r"|[:;]-?[)D]|[\U0001F300-\U0001FAFF]",
        re.IGNORECASE,
    )
    for spoken in all_ways(tone, act, state):
        assert not cheer.search(spoken.text), spoken.text


@pytest.mark.parametrize(("tone", "act", "state"), EVERYTHING)
def test_sorry_is_said_at_most_once(tone: str, act: str, state: str) -> None:
    for spoken in all_ways(tone, act, state):
        assert len(re.findall(r"\b(?:sorry|apolog\w+)\b", spoken.text, re.IGNORECASE)) <= 1, spoken.text


def test_an_answer_says_the_answer_and_the_next_step_whole() -> None:
    for tone, state in product(TONES, STATES):
        text = (
            VOICES[tone]
            .say("answer", state, answer="We post daily.\nExcept Sunday.", next_step="Open it.", also=[])
            .text
        )
        assert "We post daily.\nExcept Sunday." in text
        assert "Open it." in text


def test_an_offer_with_an_answer_is_three_paragraphs() -> None:
    spoken = VOICES["warm"].say("offer", "frustrated", answer="We post daily.", next_step="Open the link.",
                               desk="free", opens=None, foreign="")  # fmt: skip
    opening, answer, offer = spoken.text.split("\n\n")
    assert (opening, answer) == (spoken.opening, "We post daily. Open the link.")
    assert "a person can take over" in offer


@pytest.mark.parametrize(("act", "state"), list(product([a.value for a in Act], STATES)))
def test_a_name_in_the_middle_of_a_sentence_stands_between_commas(act: str, state: str) -> None:
    for tone in TONES:
        for spoken in all_ways(tone, act, state):
            assert not re.search(r", Cora [a-z]", spoken.text), spoken.text


def test_danger_gets_the_help_and_no_pleasantry() -> None:
    for tone, state in product(TONES, STATES):
        text = VOICES[tone].say("handoff", state, reason="safety", safety_help="Call 999.", name="Cora").text
        assert "Call 999." in text
        assert "Cora" not in text


def test_the_bot_says_that_it_is_a_bot_when_asked_and_when_greeting() -> None:
    for tone, state in product(TONES, STATES):
        assert "bot" in VOICES[tone].say("smalltalk", state, kind="bot_question").text
        assert "automatic assistant" in VOICES[tone].say("smalltalk", state, kind="greeting").text


def test_a_plain_shop_has_no_opening_for_the_calm() -> None:
    spoken = VOICES["plain"].say("answer", "neutral", answer="We post daily.", next_step="", also=[])
    assert (spoken.opening, spoken.text) == ("", "We post daily.")


def test_a_name_that_looks_like_a_template_is_only_a_name() -> None:
    text = VOICES["warm"].say("answer", "neutral", name="{{ 7 * 7 }}", answer="{{ 8 * 8 }}", next_step="", also=[]).text
    assert "{{ 7 * 7 }}" in text
    assert "{{ 8 * 8 }}" in text


def test_every_topic_of_the_demo_shop_has_a_word_for_its_trouble() -> None:
    topics = {entry["topic"] for entry in yaml.safe_load(DEMO.read_text(encoding="utf-8"))["faq"]}
    assert topics <= set(TOPICS)
    assert len(topics) > 5


@pytest.mark.parametrize("topic", TOPICS)
def test_a_trouble_fits_into_every_sentence_that_names_one(topic: str) -> None:
    trouble = VOICES["warm"].trouble(topic)
    for line in VOICES["warm"].openings("answer", "frustrated"):
        if "trouble }}" in line:
            spoken = [
                VOICES["warm"].say("answer", "frustrated", topic=topic, seed=s, answer="x", next_step="", also=[])
                for s in range(3)
            ]
            assert any(trouble in s.opening for s in spoken)


def test_an_unknown_topic_is_called_this() -> None:
    assert VOICES["warm"].trouble("no such topic") == VOICES["warm"].trouble(None) == "this"


def test_every_state_of_the_classifier_has_its_openings_and_none_is_left_over() -> None:
    found = {path.name for path in (TEMPLATES / "en" / "openings").iterdir()}
    assert found == {f"{act.value}.{state}.j2" for act in Act for state in STATES}


@pytest.mark.parametrize("opens", [None, "today at 09:00"])
@pytest.mark.parametrize("email", [None, "cora@example.com"])
@pytest.mark.parametrize("wait", [Wait(1, None, 0), Wait(1, 2, 1), Wait(4, 1, 2)])
def test_the_line_for_the_queue_is_honest(wait: Wait, email: str | None, opens: str | None) -> None:
    line = Voice(mail=True).line("queued", wait=wait, opens=opens, email=email)
    assert (f"{wait.minutes} minute" in line) == (wait.minutes is not None)
    assert ("1 minutes" in line) is False
    if wait.minutes is None:
        assert ("people are back today at 09:00" in line) == (opens is not None)
        assert (email or "leave an e-mail address") in line
    else:
        assert ("next in line" if wait.place == 1 else "number 4 in line") in line


@pytest.mark.parametrize("name", ["queued", "vanished", "long_wait"])
@pytest.mark.parametrize("email", [None, "cora@example.com"])
def test_no_answer_by_mail_is_promised_where_none_can_be_sent(name: str, email: str | None) -> None:
    content = {"agent": "Alice", "wait": Wait(1, None, 0), "opens": None, "email": email}
    promised = Voice(mail=True).line(name, **content)
    assert "cora@example.com" in promised if email else "e-mail" in promised
    honest = Voice().line(name, **content)
    assert "mail" not in honest
    assert "cora@example.com" not in honest
    assert "when you come back to this chat" in honest


@pytest.mark.parametrize("name", ["joined", "released", "resolved", "returned"])
def test_every_line_about_an_agent_names_them(name: str) -> None:
    assert "Alice" in VOICES["warm"].line(name, agent="Alice")


def test_the_first_line_says_that_a_bot_speaks_and_for_whom() -> None:
    line = VOICES["warm"].line("greeting", shop="Hazel & Finch")
    assert "bot" in line
    assert "Hazel & Finch" in line


def test_every_language_has_its_sentence() -> None:
    """A customer who cannot read the bot is told so in words they can."""
    known = yaml.safe_load((Path(__file__).parents[2] / "models" / "languages.yaml").read_text(encoding="utf-8"))
    assert all(VOICES["warm"].foreign(language) for language in known["languages"])
    assert VOICES["warm"].foreign("xx") == ""
