"""The brief: every fact that was said, nothing that was whispered, the same each time."""

import time
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.conversation import Message
from conversations.events import Event, Kind
from conversations.lifecycle import Author, Visibility
from handoff.brief import Brief, brief_of, mood_curve
from tests.conftest import START

examples = settings(max_examples=60, deadline=None)


def said(text: str, author: Author = Author.CUSTOMER, seq: int = 1, **more) -> Message:
    return Message(more.pop("id", f"m{seq}"), seq, author, text, START + timedelta(minutes=seq), **more)


def read_as(state: str, level: float = 0.9) -> dict:
    return {"state": state, "states": {state: level}}


def facts_in(*texts: str) -> list[str]:
    return [line.text for line in brief_of([said(t, seq=i + 1) for i, t in enumerate(texts)], []).facts]


numbers = st.from_regex(r"\A[0-9]{4,12}\Z") | st.from_regex(r"\A[A-Z]{1,4}-?[0-9]{4,10}\Z")
AFTER_A_WORD = [
    "my order {} has not come", "Order {}", "order #{}", "order no. {}", "order no {} please", "Order number: {}",
    "the order number is {}", "order number {}, thanks", "order id {}", "ORDER: {}", "ref {}", "reference: {}",
    "invoice {}", "tracking {}", "tracking number {}", "it's #{}", "#{}.", "my order ({}) is late",
    "order “{}”", "order\n{}", "order {}!", "order {}?", "Hi,order {},where is it",
]  # fmt: skip


@pytest.mark.parametrize("way", AFTER_A_WORD)
@given(number=numbers)
@settings(max_examples=15, deadline=None)
def test_an_order_number_is_found_however_it_is_said(way: str, number: str) -> None:
    assert facts_in(way.format(number)) == [f"Number {number}"]


@pytest.mark.parametrize("way", ["{}", "{} where is it", "its {} I think", "({})", "it is {}."])
@given(number=st.from_regex(r"\A[0-9]{6,12}\Z") | st.from_regex(r"\A[A-Z]{1,4}-?[0-9]{4,10}\Z"))
@settings(max_examples=15, deadline=None)
def test_a_long_number_is_found_without_any_word_for_it(way: str, number: str) -> None:
    assert facts_in(way.format(number)) == [f"Number {number}"]


@pytest.mark.parametrize(
    "text",
    ["orders 10234 and 10987 please", "order numbers 10234 and 10987", "orders #10234, #10987",
     "order 10234 and order 10987", "order 10234 / 10987", "my two orders: 10234 & 10987"],
)  # fmt: skip
def test_both_of_two_order_numbers_are_found(text: str) -> None:
    """The shop asks for "both order numbers" when two orders are to travel in one parcel."""
    assert facts_in(text) == ["Number 10234", "Number 10987"]


part = st.from_regex(r"\A[a-z][a-z0-9]{0,8}([.+_-][a-z0-9]{1,6})?\Z")
host = st.from_regex(r"\A[a-z][a-z0-9]{1,8}(-[a-z0-9]{1,4})?\.(com|co\.uk|de|example|museum)\Z")


@pytest.mark.parametrize(
    "way", ["{}", "my address is {}.", "write to {}, please", "<{}>", "({})", "mail:{}", "{}!", "{}\nthanks", "“{}”"]
)
@given(name=part, domain=host)
@settings(max_examples=15, deadline=None)
def test_an_e_mail_address_is_found_however_it_is_said(way: str, name: str, domain: str) -> None:
    assert facts_in(way.format(f"{name}@{domain}")) == [f"E-mail {name}@{domain}"]


@pytest.mark.parametrize("address", ["sinead.o'brien@example.com", "CORA@Example.COM", "jörg@müller.example"])
def test_an_unusual_address_is_found_whole(address: str) -> None:
    assert facts_in(f"it is {address}") == [f"E-mail {address}"]


def test_digits_inside_an_address_are_not_an_order_number() -> None:
    assert facts_in("cora.1234567@example.com") == ["E-mail cora.1234567@example.com"]


@pytest.mark.parametrize("text", ["in order to 2 things", "I waited 3 weeks", "at 10:30 on 12 May", "it was £45.50"])
def test_other_numbers_are_not_taken_for_orders(text: str) -> None:
    assert facts_in(text) == []


def test_each_fact_is_listed_once_with_the_message_that_said_it_first() -> None:
    messages = [said("order HF-10234", seq=1), said("order hf-10234 again, cora@example.com", seq=2)]
    facts = brief_of(messages, []).facts
    assert [(f.text, f.message_id) for f in facts] == [("Number HF-10234", "m1"), ("E-mail cora@example.com", "m2")]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("the Enamel  mug is chipped", ["Product enamel mug"]),
        ("two mugs and an enamel mug", ["Product enamel mug", "Product mug"]),
        ("one dish broke, two dishes are chipped", ["Product dish"]),
        ("smug jugglers dishwash", []),
        ("write to mug@example.com", ["E-mail mug@example.com"]),
        ("is the set (blue) in stock?", ["Product set (blue)"]),
    ],
)
def test_the_products_that_were_named_are_facts(text: str, named: list[str]) -> None:
    products = ("mug", "enamel mug", "jug", "dish", "set (blue)")
    facts = brief_of([said(text, seq=1)], [], products=products).facts
    assert [(f.text, f.message_id) for f in facts] == [(name, "m1") for name in named]


def test_only_what_the_customer_said_is_a_fact() -> None:
    messages = [said("order 55555", Author.BOT, 1), said("order 66666", Author.AGENT, 2), said("hello there", seq=3)]
    assert brief_of(messages, []).facts == ()


def everything(brief: Brief) -> str:
    return repr(brief)


@given(st.sampled_from([Author.AGENT, Author.CUSTOMER, Author.BOT, Author.SYSTEM]))
@examples
def test_a_note_is_nowhere_in_the_brief(author: Author) -> None:
    note = said("SECRET order 98765432", author, 2, id="secret", visibility=Visibility.INTERNAL,
                extra={"title": "SECRET", "promise": True}, reading=read_as("frustrated"))  # fmt: skip
    brief = brief_of([said("Where is my parcel?", seq=1), note], [])
    assert "SECRET" not in everything(brief)
    assert "secret" not in everything(brief)
    assert "98765432" not in everything(brief)


def test_why_shows_the_evidence_of_the_latest_handoff() -> None:
    def handoff(seq: int, text: str) -> Event:
        line = {"signal": "s", "value": 1.0, "threshold": 1.0, "text": text, "message_id": f"m{seq}"}
        return Event(seq, Kind.HANDOFF_REQUESTED, "bot", {"evidence": [line]}, START)

    why = brief_of([], [handoff(1, "Asked for a person"), handoff(9, "Frustration stays high")]).why
    assert [(line.text, line.message_id) for line in why] == [("Frustration stays high", "m9")]
    assert why[0].detail is not None
    assert why[0].detail["threshold"] == 1.0


def test_what_the_customer_wants_is_the_first_and_the_latest_thing_they_asked() -> None:
    messages = [said("hi", seq=1), said("Where is my parcel please?", seq=2), said("It was a present", seq=3),
                said("Can I cancel it then?", seq=4), said("hello?", seq=5)]  # fmt: skip
    assert [w.message_id for w in brief_of(messages, []).wants] == ["m2", "m4"]


def test_one_question_is_wanted_once() -> None:
    assert [w.text for w in brief_of([said("Where is my parcel?")], []).wants] == ["Where is my parcel?"]


def test_who_said_only_a_word_wants_that_word() -> None:
    assert [w.text for w in brief_of([said("Refund")], []).wants] == ["Refund"]


def test_a_very_long_wish_is_cut_with_a_sign_that_it_was() -> None:
    [wish] = brief_of([said("word " * 300)], []).wants
    assert len(wish.text) == 280
    assert wish.text.endswith("…")


def test_the_mood_curve_has_a_point_for_each_message_that_was_read() -> None:
    messages = [said("a", seq=1, reading=read_as("neutral")), said("b", seq=2),
                said("c", seq=3, reading=read_as("frustrated")), said("d", Author.AGENT, 4)]  # fmt: skip
    assert [(p.seq, p.states) for p in mood_curve(messages)] == [(1, {"neutral": 0.9}), (3, {"frustrated": 0.9})]


def test_an_agents_words_are_never_on_the_mood_curve() -> None:
    assert mood_curve([said("calm down", Author.AGENT, 1, reading=read_as("frustrated"))]) == ()


def test_what_was_tried_says_how_the_customer_felt_after() -> None:
    messages = [
        said("Where is it?", seq=1), said("Use the link", Author.BOT, 2, extra={"title": "How do I track?"}),
        said("That does not work", seq=3, reading=read_as("frustrated")),
        said("Let me explain", Author.BOT, 4, extra={"title": "Late parcels"}),
    ]  # fmt: skip
    tried = brief_of(messages, []).tried
    assert [t.text for t in tried] == ["How do I track? (then frustrated)", "Late parcels (no reply yet)"]


def test_a_bots_message_without_an_answer_was_not_trying() -> None:
    assert brief_of([said("Hello!", Author.BOT, 1, extra={"act": "smalltalk"})], []).tried == ()


def test_an_answer_given_twice_is_not_to_be_given_again() -> None:
    twice = [said("x", Author.BOT, i, extra={"title": "Refund times"}) for i in (1, 2)]
    [avoid] = brief_of([*twice, said("y", Author.BOT, 3, extra={"title": "Once"})], []).avoid
    assert "Refund times" in avoid.text
    assert "2 times" in avoid.text


def test_who_declined_a_person_is_told_why_one_came() -> None:
    [avoid] = brief_of([], [Event(3, Kind.OFFER_DECLINED, "customer", {}, START)]).avoid
    assert "Declined" in avoid.text


def test_the_latest_promise_is_there() -> None:
    lines = [said(t, Author.SYSTEM, i, extra={"promise": True}) for i, t in enumerate(("10 minutes", "2 minutes"))]
    assert [p.text for p in brief_of([*lines, said("joined", Author.SYSTEM, 5)], []).promised] == ["2 minutes"]


def test_an_empty_conversation_has_an_empty_brief() -> None:
    assert brief_of([], []) == Brief((), (), (), (), (), (), ())


def test_the_same_conversation_has_the_same_brief_and_200_messages_are_no_trouble() -> None:
    messages = [
        said(f"my order {10_000 + i} is late, write to c{i}@example.com", seq=i, reading=read_as("worried"))
        for i in range(200)
    ]
    began = time.perf_counter()
    first = brief_of(messages, [])
    print(f"brief of 200 messages: {(time.perf_counter() - began) * 1000:.1f} ms")  # a look, not a claim
    assert brief_of(messages, []) == first
    assert len(first.facts) == 400
