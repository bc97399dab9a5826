"""The words' model: n-grams as they are counted in training, the same logits in any batch, and broken files."""

from pathlib import Path

import numpy as np
import pytest

from models.base import FLAGS, STATES, ModelUnavailable
from models.catalog import ARTIFACTS
from models.words import Words, grams_of

TINY = Words(
    {"whi": 0, "wyou": 1, "c hi": 2},
    np.array([1.0, 2.0, 1.0], dtype=np.float32),
    np.arange(24, dtype=np.float32).reshape(3, 8),
    np.zeros(8, dtype=np.float32),
)


def test_words_pairs_and_pieces_are_counted_without_case_or_curly_quotes() -> None:
    assert list(grams_of("Don’t!")) == [
        "wdon't", "w!", "wdon't !", "c d", "cdo", "con", "cn'", "c't", "ct!", "c! ",
        "c do", "cdon", "con'", "cn't", "c't!", "ct! ", "c don", "cdon'", "con't", "cn't!", "c't! ",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", " ", "😀", "a", "x" * 50_000, "\x00", "��"])
def test_any_text_gives_numbers(text: str) -> None:
    logits = TINY.logits([text])
    assert logits["states"].shape == (1, len(STATES))
    assert np.isfinite(logits["flags"]).all()


def test_words_and_pieces_are_scaled_apart_and_added() -> None:
    [row] = TINY.logits(["hi"])["states"]
    assert row == pytest.approx(TINY.coefficients[0, :5] + TINY.coefficients[2, :5])


def test_a_text_reads_the_same_whatever_batch_it_shares() -> None:
    words = Words.load(ARTIFACTS / "emotion" / "words.npz")
    assert words is not None
    alone = words.logits(["where is my parcel"])["states"][0]
    assert words.logits(["hello", "where is my parcel", "x"])["states"][1] == pytest.approx(alone)


def test_what_was_saved_is_what_is_loaded(tmp_path: Path) -> None:
    TINY.save(tmp_path / "words.npz")
    again = Words.load(tmp_path / "words.npz")
    assert again is not None
    assert again.index == TINY.index
    assert again.logits(["hi you"])["flags"] == pytest.approx(TINY.logits(["hi you"])["flags"])


def test_without_a_file_there_are_no_words(tmp_path: Path) -> None:
    assert Words.load(tmp_path / "words.npz") is None


@pytest.mark.parametrize("broken", [b"", b"garbage", b"PK\x03\x04cut"])
def test_a_broken_file_is_named(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "words.npz").write_bytes(broken)
    with pytest.raises(ModelUnavailable, match=r"words\.npz"):
        Words.load(tmp_path / "words.npz")


def test_a_file_of_another_shape_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "words.npz", grams=np.frombuffer(b"wa\nwb", dtype=np.uint8), weight=np.ones(2),
             coefficients=np.ones((2, len(STATES) + len(FLAGS) + 1)), intercept=np.ones(8))  # fmt: skip
    with pytest.raises(ModelUnavailable, match="shapes"):
        Words.load(tmp_path / "words.npz")
