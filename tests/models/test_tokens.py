"""Packing a message and what came before it: each for itself, both ends of a long one, the latest of the earlier."""

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from models.base import EARLIER
from models.tokens import MAX_MESSAGE, SEEN_OF_EARLIER, Packed, Tokens

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


def split(packed: Packed) -> list[list[int]]:
    """The ids of each message, the one being read first."""
    return [[i for i, b in zip(packed.ids, packed.back, strict=True) if b == back] for back in range(EARLIER + 1)]


def test_a_message_alone_is_seen_whole(tokens: Tokens) -> None:
    assert tokens.pack("first last") == Packed(
        [CLS, *ids("first", "last"), SEP], [0, 1, 2, 3], [0, 0, 0, 0], [True] * 4
    )


def test_earlier_messages_follow_the_latest_first_each_for_itself(tokens: Tokens) -> None:
    packed = tokens.pack("new", ("old", "middle first"))
    assert packed.ids == [CLS, *ids("new"), SEP, CLS, *ids("middle", "first"), SEP, CLS, *ids("old"), SEP]
    assert packed.back == [0] * 3 + [1] * 4 + [2] * 3
    assert packed.positions == [0, 1, 2, 0, 1, 2, 3, 0, 1, 2]


def test_an_earlier_message_has_the_ids_it_had_when_it_was_read(tokens: Tokens) -> None:
    """Otherwise what the trunk remembers of it could not be used again."""
    long = " ".join(WORDS[5:205])
    assert split(tokens.pack("new", (long,)))[1] == tokens.ids(long)


def test_an_empty_text_is_one_unknown_word(tokens: Tokens) -> None:
    for text in ("", "   ", "\u200d"):
        assert tokens.ids(text) == [CLS, UNK, SEP]


def test_an_empty_text_after_others_is_still_read(tokens: Tokens) -> None:
    assert split(tokens.pack("", ("old",)))[:2] == [[CLS, UNK, SEP], [CLS, *ids("old"), SEP]]


def test_earlier_messages_that_are_empty_are_as_good_as_none(tokens: Tokens) -> None:
    assert tokens.pack("new", ("", " ")) == tokens.pack("new")


def test_of_many_earlier_messages_the_latest_are_kept(tokens: Tokens) -> None:
    said = ("w1", "w2", "w3", "w4", "w5")
    assert split(tokens.pack("new", said))[1:] == [[CLS, *ids(word), SEP] for word in ("w5", "w4", "w3")]


def test_a_message_of_exactly_the_limit_is_whole(tokens: Tokens) -> None:
    words = WORDS[5 : 5 + MAX_MESSAGE]
    assert tokens.ids(" ".join(words)) == [CLS, *ids(*words), SEP]


def test_of_a_longer_message_the_first_and_the_last_half_are_kept(tokens: Tokens) -> None:
    words = WORDS[5:205]
    kept = tokens.ids(" ".join(words))[1:-1]
    assert len(kept) == MAX_MESSAGE
    assert kept == ids(*words[: MAX_MESSAGE // 2], *words[-MAX_MESSAGE // 2 :])


def test_of_the_longest_message_that_can_be_sent_the_end_is_kept_too(tokens: Tokens) -> None:
    """16,000 characters are allowed; how such a message ends is often what it is about."""
    text = "first " + "middle " * 2200 + "last"
    assert 15_000 < len(text) <= 16_000
    kept = tokens.ids(text)[1:-1]
    assert (kept[0], kept[-1]) == (VOCABULARY["first"], VOCABULARY["last"])


def test_of_a_long_earlier_message_both_ends_are_seen(tokens: Tokens) -> None:
    packed = tokens.pack("new", (" ".join(WORDS[5:45]),))
    seen = [i for i, s, b in zip(packed.ids, packed.seen, packed.back, strict=True) if s and b == 1]
    half = SEEN_OF_EARLIER // 2
    assert seen == [*tokens.ids(" ".join(WORDS[5:45]))[:half], *tokens.ids(" ".join(WORDS[5:45]))[-half:]]


def test_a_batch_is_padded_to_its_longest_row(tokens: Tokens) -> None:
    arrays = tokens.batch([tokens.pack("first"), tokens.pack("first last", ("old",))])
    assert {name: (a.shape, a.dtype) for name, a in arrays.items()} == {
        **dict.fromkeys(("input_ids", "position_ids", "back"), ((2, 7), np.dtype(np.int64))),
        "seen": ((2, 7), np.dtype(bool)),
    }
    assert arrays["input_ids"][0].tolist() == [CLS, *ids("first"), SEP, PAD, PAD, PAD, PAD]
    assert arrays["back"].tolist() == [[0, 0, 0, -1, -1, -1, -1], [0, 0, 0, 0, 1, 1, 1]]
    assert arrays["seen"].tolist() == [[True] * 3 + [False] * 4, [True] * 7]
