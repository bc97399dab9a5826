"""The models behind an awaitable: batches of what waits, and an answer even when they are slow, broken or overrun."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from app import inference
from app.inference import Inference, Understanding
from models.base import Outcome, Reading, Utterance
from tests.app.scripted import BrokenEncoder, BrokenMatcher, BrokenReader, ScriptedMatcher, ScriptedReader, mood

Make = Callable[..., Inference]


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[Inference] = []

    def build(reader: object, encoder: object = None, timeout: float = 30) -> Inference:
        made.append(Inference(reader, encoder, timeout))  # type: ignore[arg-type]
        return made[-1]

    yield build
    for one in made:
        one.close()


def understand(models: Inference, text: str, matcher: object = None) -> "asyncio.Task[Understanding]":
    return asyncio.create_task(models.understand(Utterance(text), text, matcher or ScriptedMatcher()))  # type: ignore[arg-type]


async def test_what_waits_while_the_model_runs_is_read_in_one_batch(make: Make) -> None:
    reader = ScriptedReader()
    models = make(reader)
    reader.hold()
    first = understand(models, "first")
    await reader.is_inside()
    rest = [understand(models, f"later {i}") for i in range(5)]
    await asyncio.sleep(0)
    reader.let_go()
    await asyncio.gather(first, *rest)
    assert reader.batches == [["first"], [f"later {i}" for i in range(5)]]


async def test_a_batch_has_a_limit(make: Make) -> None:
    reader = ScriptedReader()
    models = make(reader)
    await asyncio.gather(*(understand(models, str(i)) for i in range(inference.MAX_BATCH * 2 + 1)))
    assert max(map(len, reader.batches)) <= inference.MAX_BATCH
    assert sorted(reader.seen, key=int) == [str(i) for i in range(inference.MAX_BATCH * 2 + 1)]


async def test_everyone_gets_their_own_reading_and_their_own_shops_match(make: Make) -> None:
    reader = ScriptedReader(angry=mood("frustrated"), glad=mood("pleased"))
    one, other = ScriptedMatcher(), ScriptedMatcher()
    models = make(reader)
    results = await asyncio.gather(
        understand(models, "angry", one), understand(models, "glad", other), understand(models, "calm", one)
    )
    assert [r.reading.state for r in results] == ["frustrated", "pleased", "neutral"]
    assert (one.asked, other.asked) == (["angry", "calm"], ["glad"])


async def test_a_model_that_is_too_slow_is_replaced_by_the_rules(make: Make) -> None:
    reader = ScriptedReader()
    models = make(reader, timeout=0.05)
    reader.hold()
    understood = await understand(models, "this is ridiculous")
    reader.let_go()
    assert (understood.reading.model, understood.reading.state) == ("rules", "frustrated")
    assert understood.match.outcome is Outcome.UNKNOWN


async def test_a_model_that_is_too_slow_for_several_messages_is_replaced_by_the_rules(make: Make) -> None:
    reader = ScriptedReader()
    models = make(reader, timeout=0.05)
    reader.hold()
    try:
        async with asyncio.timeout(5):
            readings = await models.read([Utterance("one"), Utterance("two")])
    finally:
        reader.let_go()
    assert [r.model for r in readings] == ["rules", "rules"]


async def test_an_encoder_that_is_too_slow_gives_no_vectors(make: Make) -> None:
    """The reader holds both threads; whoever asks for vectors must not wait for ever."""
    reader = ScriptedReader()
    models = make(reader, BrokenEncoder(), timeout=0.05)
    reader.hold()
    await understand(models, "held")
    await understand(models, "held again")
    try:
        async with asyncio.timeout(5):
            assert await models.vectors(["a", "b"]) == [(), ()]
    finally:
        reader.let_go()


async def test_a_matcher_that_fails_costs_the_match_and_not_the_reading(make: Make) -> None:
    models = make(ScriptedReader(angry=mood("frustrated")))
    understood = await understand(models, "angry", BrokenMatcher())
    assert (understood.reading.state, understood.match.outcome) == ("frustrated", Outcome.UNKNOWN)


async def test_a_model_that_fails_is_replaced_by_the_rules(make: Make) -> None:
    models = make(BrokenReader())
    assert (await understand(models, "hello")).reading.model == "rules"
    assert [r.model for r in await models.read([Utterance("hello")])] == ["rules"]


async def test_an_encoder_that_fails_gives_no_vectors(make: Make) -> None:
    encoder = BrokenEncoder()
    encoder.broken = True
    assert await make(ScriptedReader(), encoder).vectors(["a", "b"]) == [(), ()]


async def test_after_a_failure_the_model_is_asked_again(make: Make) -> None:
    class OnceBroken(ScriptedReader):
        def read(self, batch: Sequence[Utterance]) -> list[Reading]:
            if not self.batches:
                self.batches.append([])
                raise RuntimeError
            return super().read(batch)

    models = make(OnceBroken())
    assert (await understand(models, "one")).reading.model == "rules"
    assert (await understand(models, "two")).reading.model == "scripted"


async def test_a_model_that_returns_too_little_does_not_stop_the_next_ones(make: Make) -> None:
    class Short(ScriptedReader):
        def read(self, batch: Sequence[Utterance]) -> list[Reading]:
            return super().read(batch)[: 0 if "short" in batch[0].text else None]

    models = make(Short(), timeout=1)
    assert (await understand(models, "short")).reading.model == "rules"
    assert (await understand(models, "whole")).reading.model == "scripted"


async def test_under_overload_the_rules_answer_at_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "MAX_WAITING", 2)
    reader = ScriptedReader()
    models = make(reader)
    reader.hold()
    inside = understand(models, "inside")
    await reader.is_inside()
    waiting = [understand(models, f"waiting {i}") for i in range(2)]
    await asyncio.sleep(0)
    assert (await understand(models, "one too many")).reading.model == "rules"
    reader.let_go()
    results = await asyncio.gather(inside, *waiting)
    assert {r.reading.model for r in results} == {"scripted"}


async def test_without_an_encoder_vectors_are_empty(make: Make) -> None:
    assert await make(ScriptedReader()).vectors(["a", "b"]) == [(), ()]


async def test_vectors_are_computed_once(make: Make) -> None:
    encoder = BrokenEncoder()
    models = make(ScriptedReader(), encoder)
    first = await models.vectors(["a", "b", "a"])
    encoder.broken = True
    assert await models.vectors(["b", "a", "b"]) == first


async def test_more_texts_than_are_remembered_still_get_their_vectors(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inference, "REMEMBERED_VECTORS", 2)
    assert len(await make(ScriptedReader(), BrokenEncoder()).vectors(["a", "b", "c", "d"])) == 4
