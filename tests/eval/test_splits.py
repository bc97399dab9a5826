"""No phrasing, no writer and no near-duplicate crosses from one split into another."""

import itertools

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from eval.data import LANGUAGES, Split, load_dialogues, load_language, load_messages, load_questions, turns_of

NEAR = 0.8
"""Cosine of character pieces from which two messages are the same but for a detail."""
SHORTEST = 20
"""Shorter turns ("no", "thanks, that's it") are anyone's."""
SPLITS = (Split.TRAIN, Split.DEV, Split.TEST)
TWO = list(itertools.combinations(SPLITS, 2))


def everything(split: Split):
    return load_messages(split) + turns_of(load_dialogues(split))


@pytest.fixture(scope="module")
def rows():
    return {split: everything(split) for split in SPLITS}


@pytest.mark.parametrize(("one", "other"), TWO)
def test_writers_do_not_cross(rows, one, other):
    assert not {row.writer for row in rows[one]} & {row.writer for row in rows[other]}


@pytest.mark.parametrize(("one", "other"), TWO)
def test_no_text_is_in_two_splits(rows, one, other):
    texts = [{" ".join(r.text.casefold().split()) for r in rows[s] if len(r.text) >= SHORTEST} for s in (one, other)]
    assert not texts[0] & texts[1]


@pytest.mark.parametrize(("one", "other"), TWO)
def test_no_near_duplicate_crosses(rows, one, other):
    kept = [[r for r in rows[s] if len(r.text) >= SHORTEST] for s in (one, other)]
    texts = [[r.text for r in side] for side in kept]
    pieces = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True).fit(texts[0] + texts[1])
    likeness = (pieces.transform(texts[0]) @ pieces.transform(texts[1]).T).tocoo()
    near = [
        f"{kept[0][i].id} and {kept[1][j].id}: {texts[0][i]}"
        for i, j, v in zip(likeness.row, likeness.col, likeness.data, strict=True)
        if v >= NEAR
    ]
    assert near == []


def test_ids_are_unique_and_pairs_complete(rows):
    ids = [row.id for split in SPLITS for row in rows[split]]
    assert len(ids) == len(set(ids))
    for split in SPLITS:
        pairs = {row.pair for row in rows[split] if row.pair}
        for pair in pairs:
            one, other = (row for row in rows[split] if row.pair == pair)
            same = (one.state, one.flags) == (other.state, other.flags)
            assert same == (pair.kind == "keep"), f"{pair} holds {one.state} {one.flags}, {other.state} {other.flags}"


def test_windows_lie_inside_their_dialogues():
    for split in SPLITS:
        for d in load_dialogues(split):
            assert d.window is None or 1 <= d.window[0] <= d.window[1] <= len(d.turns), d.id


def test_languages_belong_to_no_split(rows):
    writers = {row.writer for split in SPLITS for row in rows[split]}
    assert not writers & {row.writer for language in LANGUAGES for row in load_language(language)}


def test_questions_do_not_cross():
    asked = [[q for q in load_questions(s) if q.expect != "smalltalk"] for s in (Split.DEV, Split.TEST)]
    dev, test = ({q.text.casefold() for q in questions} for questions in asked)
    assert not dev & test
    assert np.mean([q.expect == "answer" for q in load_questions(Split.DEV)]) > 0.5
