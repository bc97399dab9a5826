"""Packing a message and what came before it: two segments, both ends of a long one, the latest of the earlier."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from models.tokens import MAX_BEFORE, MAX_MESSAGE, Tokens

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
WORDS = ["first", "last", "middle", "old", "new", *(f"w{i}" for i in range(300))]
VOCABULARY = {word: i for i, word in enumerate([*SPECIAL, *WORDS])}
PAD, UNK, CLS, SEP = (VOCABULARY[s] for s in SPECIAL)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    """A real WordPiece tokenizer with a vocabulary that fits on a page."""
    tokenizer = Tokenizer(WordPiece(VOCABULARY, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.enable_truncation(16)  # as saved by some trainings; must not cut what is packed here
    path: Path = tmp_path_factory.mktemp("tokens") / "tokenizer.json"
    tokenizer.save(str(path))
    return Tokens(path)


def ids(*words: str) -> list[int]:
    return [VOCABULARY[word] for word in words]


def test_a_message_alone_is_one_segment(tokens: Tokens) -> None:
    assert tokens.pack("first last") == ([CLS, *ids("first", "last"), SEP], [0, 0, 0, 0])


def test_earlier_messages_are_the_second_segment(tokens: Tokens) -> None:
    packed, segments = tokens.pack("new", ("old", "middle"))
    assert packed == [CLS, *ids("new"), SEP, *ids("old", "middle"), SEP]
    assert segments == [0, 0, 0, 1, 1, 1]


def test_an_empty_text_is_one_unknown_word(tokens: Tokens) -> None:
    for text in ("", "   ", "\u200d"):
        assert tokens.pack(text) == ([CLS, UNK, SEP], [0, 0, 0])


def test_an_empty_text_after_others_still_has_two_segments(tokens: Tokens) -> None:
    assert tokens.pack("", ("old",)) == ([CLS, UNK, SEP, *ids("old"), SEP], [0, 0, 0, 1, 1])


def test_earlier_messages_that_are_empty_are_as_good_as_none(tokens: Tokens) -> None:
    assert tokens.pack("new", ("", " ")) == tokens.pack("new")


def test_a_message_of_exactly_the_limit_is_whole(tokens: Tokens) -> None:
    words = WORDS[5 : 5 + MAX_MESSAGE]
    assert tokens.pack(" ".join(words))[0] == [CLS, *ids(*words), SEP]


def test_of_a_longer_message_the_first_and_the_last_half_are_kept(tokens: Tokens) -> None:
    words = WORDS[5:205]
    kept = tokens.pack(" ".join(words))[0][1:-1]
    assert len(kept) == MAX_MESSAGE
    assert kept == ids(*words[: MAX_MESSAGE // 2], *words[-MAX_MESSAGE // 2 :])


def test_of_the_longest_message_that_can_be_sent_the_end_is_kept_too(tokens: Tokens) -> None:
    """16,000 characters are allowed; how such a message ends is often what it is about."""
    text = "first " + "middle " * 2200 + "last"
    assert 15_000 < len(text) <= 16_000
    kept = tokens.pack(text)[0][1:-1]
    assert (kept[0], kept[-1]) == (VOCABULARY["first"], VOCABULARY["last"])


def test_of_what_came_before_the_latest_is_kept(tokens: Tokens) -> None:
    packed, segments = tokens.pack("new", ("old " * 60, " ".join(WORDS[5:35])))
    earlier = [i for i, s in zip(packed, segments, strict=True) if s == 1][:-1]
    assert len(earlier) == MAX_BEFORE
    assert earlier[-30:] == ids(*WORDS[5:35])
    assert set(earlier[:10]) == set(ids("old"))


def test_the_latest_is_kept_even_after_a_very_long_one(tokens: Tokens) -> None:
    packed, _ = tokens.pack("new", ("old " * 3000, "last"))
    assert packed[-2] == VOCABULARY["last"]


def test_a_batch_is_padded_to_its_longest_row(tokens: Tokens) -> None:
    arrays = tokens.batch([tokens.pack("first"), tokens.pack("first last", ("old",))])
    assert {name: (a.shape, a.dtype) for name, a in arrays.items()} == dict.fromkeys(
        ("input_ids", "attention_mask", "token_type_ids"), ((2, 6), np.dtype(np.int64))
    )
    assert arrays["input_ids"][0].tolist() == [CLS, *ids("first"), SEP, PAD, PAD, PAD]
    assert arrays["attention_mask"].tolist() == [[1, 1, 1, 0, 0, 0], [1] * 6]
    assert arrays["token_type_ids"].tolist() == [[0] * 6, [0, 0, 0, 0, 1, 1]]
