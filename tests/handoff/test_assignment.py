"""Who is asked to take what: whoever can, and of those whoever has carried least; nobody is asked too much."""

from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.desk import Agent, Waiting, assign, next_for
from handoff.desk.assignment import able, choose
from handoff.desk.load import MOST_IN_A_ROW

examples = settings(max_examples=80, deadline=None)
NAMES = ("alice", "bob", "carol", "dan")
TAGS = ("returns", "billing")
agents_of = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True).flatmap(
    lambda names: st.tuples(*(st.builds(
        Agent, st.just(name), room=st.integers(-1, 3), held=st.integers(0, 3), load=st.floats(0, 60),
        streak=st.integers(0, 4), skills=st.frozensets(st.sampled_from(TAGS)),
        languages=st.frozensets(st.sampled_from(("en", "de"))),
    ) for name in names))
)  # fmt: skip
whys = st.sampled_from(("declined", "expired", "released"))
queues = st.lists(
    st.builds(
        Waiting, st.uuids().map(str), heavy=st.booleans(), skill=st.sampled_from((None, *TAGS)),
        language=st.sampled_from((None, "en", "de")), offered_to=st.sampled_from((None, None, *NAMES)),
        passed=st.dictionaries(st.sampled_from(NAMES), whys, max_size=3), knows=st.sampled_from((None, *NAMES)),
    ),
    max_size=8,
)  # fmt: skip


def agent(name: str, **more: object) -> Agent:
    return Agent(name, **({"room": 1} | more))  # type: ignore[arg-type]


@given(queues, agents_of)
@examples
def test_nobody_is_asked_beyond_their_room_nor_twice_for_one_chat(
    queue: list[Waiting], agents: tuple[Agent, ...]
) -> None:
    offers = assign(queue, agents)
    assert len({chat for chat, _ in offers}) == len(offers)
    for one in agents:
        assert sum(name == one.id for _, name in offers) <= max(0, one.room)


@given(queues, agents_of)
@examples
def test_whoever_declined_is_not_asked_again(queue: list[Waiting], agents: tuple[Agent, ...]) -> None:
    by_id = {chat.id: chat for chat in queue}
    for chat, name in assign(queue, agents):
        assert by_id[chat].passed.get(name) not in ("declined", "released")
        assert by_id[chat].offered_to is None


@given(queues, agents_of)
@examples
def test_a_chat_is_left_only_when_nobody_is_free_for_it(queue: list[Waiting], agents: tuple[Agent, ...]) -> None:
    """The last in the queue included: nothing waits while someone who can and will has room."""
    offers = dict(assign(queue, agents))
    taken = list(offers.values())
    for chat in queue:
        if chat.id in offers or chat.offered_to:
            continue
        for one in able(chat, agents):
            assert one.room - taken.count(one.id) <= 0 or one.id in chat.passed


@given(queues, agents_of)
@examples
def test_no_third_heavy_chat_in_a_row_while_another_is_free(queue: list[Waiting], agents: tuple[Agent, ...]) -> None:
    for chat in queue:
        chosen = choose(chat, agents)
        if chat.heavy and chosen and chosen.streak >= MOST_IN_A_ROW:
            free = [a for a in able(chat, agents) if a.room > 0 and a.id not in chat.passed]
            assert all(a.streak >= MOST_IN_A_ROW for a in free)


def test_a_heavy_chat_goes_to_the_least_loaded() -> None:
    team = [agent("alice", load=20), agent("bob", load=3), agent("carol", load=9)]
    assert assign([Waiting("c", heavy=True)], team) == [("c", "bob")]


def test_two_heavy_chats_at_once_go_to_two_agents() -> None:
    team = [agent("alice", room=3), agent("bob", room=3, load=2)]
    assert {name for _, name in assign([Waiting("c", heavy=True), Waiting("d", heavy=True)], team)} == {"alice", "bob"}


def test_a_light_chat_goes_to_whoever_had_heavy_ones_in_a_row() -> None:
    assert assign([Waiting("c")], [agent("alice", held=0), agent("bob", held=1, streak=2)]) == [("c", "bob")]


def test_whoever_had_it_a_moment_ago_is_asked_first() -> None:
    team = [agent("alice", load=0), agent("bob", load=30)]
    assert assign([Waiting("c", heavy=True, knows="bob")], team) == [("c", "bob")]


def test_skill_and_language_are_kept_to_where_somebody_has_them_and_wait_for_nobody_where_none_has() -> None:
    team = [agent("alice", skills=frozenset({"returns"})), agent("bob", languages=frozenset({"de"}))]
    assert assign([Waiting("c", skill="returns")], team) == [("c", "alice")]
    assert assign([Waiting("c", skill="repairs")], team)
    assert assign([Waiting("c", language="fr")], team) == [("c", "alice")]


def test_who_let_it_pass_is_asked_again_after_everybody_else_and_who_declined_never() -> None:
    team = [agent("alice"), agent("bob")]
    assert assign([Waiting("c", passed={"alice": "expired"})], team) == [("c", "bob")]
    assert assign([Waiting("c", passed={"alice": "expired", "bob": "declined"})], team) == [("c", "alice")]
    assert assign([Waiting("c", passed={"alice": "declined", "bob": "declined"})], team) == []


def test_declining_changes_nothing_but_whom_the_chat_goes_to() -> None:
    """The next chat is offered as if nothing had been declined."""
    team = [agent("alice"), agent("bob", load=1)]
    declined = Waiting("c", heavy=True, passed={"alice": "declined"})
    assert dict(assign([declined, Waiting("d", heavy=True)], team)) == {"c": "bob", "d": "alice"}


# --- pulling


def test_next_is_what_one_is_offered_else_the_first_in_order() -> None:
    queue = [Waiting("a"), Waiting("b", offered_to="bob"), Waiting("c", offered_to="alice"), Waiting("d")]
    assert next_for("alice", queue, [agent("alice"), agent("bob")]) == "c"
    assert next_for("carol", queue, [agent("carol"), agent("bob")]) == "a"


def test_next_leaves_a_heavy_one_to_a_free_colleague_who_has_carried_less() -> None:
    queue = [Waiting("a", heavy=True), Waiting("b")]
    team = [agent("alice", load=30), agent("bob", load=0)]
    assert next_for("alice", queue, team) == "b"
    assert next_for("bob", queue, team) == "a"


def test_who_asks_and_finds_only_a_heavy_one_gets_it_but_not_a_third_in_a_row_while_another_is_free() -> None:
    only = [Waiting("a", heavy=True)]
    assert next_for("alice", only, [agent("alice", load=30), agent("bob")]) == "a"
    tired = agent("alice", streak=MOST_IN_A_ROW)
    assert next_for("alice", only, [tired, agent("bob")]) is None
    assert next_for("alice", only, [tired, agent("bob", room=0)]) == "a"


@given(queues, agents_of)
@examples
def test_next_never_gives_what_is_offered_to_another_or_was_declined(
    queue: list[Waiting], agents: tuple[Agent, ...]
) -> None:
    chosen = {chat.id: chat for chat in queue}.get(next_for(agents[0].id, queue, agents) or "")
    if chosen:
        assert chosen.offered_to in (None, agents[0].id)
        assert chosen.offered_to == agents[0].id or chosen.passed.get(agents[0].id) not in ("declined", "released")
