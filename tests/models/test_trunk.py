"""The trunk: every text once, whoever asks, and the same vectors whatever else was asked."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models.base import Utterance
from models.catalog import ARTIFACTS
from models.emotion import OnnxEmotionReader
from models.encoder import OnnxSentenceEncoder
from models.trunk import REMEMBERED, Trunk


@pytest.fixture
def trunk() -> Trunk:
    return Trunk(ARTIFACTS / "encoder")


@pytest.fixture
def passes(trunk: Trunk, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of tokens of every pass through the network."""
    counted: list[int] = []
    run = trunk._network.run

    def counting(**inputs: np.ndarray) -> dict[str, np.ndarray]:
        counted.append(inputs["input_ids"].shape[1])
        return run(**inputs)

    monkeypatch.setattr(trunk._network, "run", counting)
    return counted


def test_a_message_is_read_and_matched_in_one_pass_with_its_earlier_ones_remembered(
    trunk: Trunk, passes: list[int]
) -> None:
    reader = OnnxEmotionReader(ARTIFACTS / "emotion", trunk)
    encoder = OnnxSentenceEncoder(ARTIFACTS / "encoder", trunk)
    chat = ["where is my parcel?", "hello?", "that is not what I asked"]
    for i, text in enumerate(chat):
        reader.read([Utterance(text, tuple(chat[:i]))])
        encoder.encode([text])
    assert len(passes) == len(chat)


def test_two_threads_that_ask_for_one_text_share_it(trunk: Trunk, passes: list[int]) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(trunk.hidden, ["where is my parcel?"] * 8))
    assert len(passes) == 1
    assert all(np.array_equal(found[0], other) for other in found)


def test_what_is_remembered_is_bounded_and_the_oldest_goes(trunk: Trunk, passes: list[int]) -> None:
    for i in range(REMEMBERED + 1):
        trunk.hidden(f"text {i}")
    trunk.hidden(f"text {REMEMBERED}")
    assert len(passes) == REMEMBERED + 1
    trunk.hidden("text 0")
    assert len(passes) == REMEMBERED + 2


def test_what_was_asked_before_changes_nothing(trunk: Trunk) -> None:
    for text in ("one", "a much longer text than the others, with many words"):
        trunk.hidden(text)
    first, again = trunk.hidden("my zip broke"), trunk.hidden("my zip broke")
    assert np.array_equal(first, again)
    assert np.array_equal(first, Trunk(ARTIFACTS / "encoder").hidden("my zip broke"))


def test_what_is_remembered_cannot_be_changed_and_holds_no_text(trunk: Trunk) -> None:
    with pytest.raises(ValueError, match="read-only"):
        trunk.hidden("my zip broke")[0] = 0
    assert all(isinstance(token, int) for ids in trunk._remembered for token in ids)
