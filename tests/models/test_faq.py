"""The matcher: the right entry, a question back where two fit, an honest "not known"; with an encoder or without."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from models.base import Candidate, Entry, Outcome
from models.faq import HybridMatcher, MatcherCalibration

ENTRIES = [
    Entry("track", ("How do I track my parcel?", "where is my parcel", "tracking number"), "Use the tracking link."),
    Entry("return", ("How do I return an item?", "send it back", "return label"), "You have thirty days."),
    Entry("refund", ("When do I get my refund?", "money back"), "Refunds take five working days."),
    Entry("hours", ("When are you open?", "opening hours on Sunday"), "Nine to five on weekdays."),
]
MEANINGS = {
    "parcel": "track", "package": "track", "track": "track", "tracking": "track", "shipment": "track",
    "return": "return", "back": "return", "label": "return",
    "refund": "refund", "money": "refund", "reimbursed": "refund",
    "open": "hours", "opening": "hours", "hours": "hours", "sunday": "hours",
}  # fmt: skip


class LittleEncoder:
    """Deterministic vectors: one axis a meaning, and a little noise from the words so that no two texts tie."""

    width = 12

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        self.calls.append(list(texts))
        return np.stack([self._one(text) for text in texts])

    def _one(self, text: str) -> np.ndarray:
        axes = sorted(set(MEANINGS.values()))
        vector = np.zeros(self.width, dtype=np.float32)
        for word in "".join(c if c.isalnum() else " " for c in text.lower()).split():
            if word in MEANINGS:
                vector[axes.index(MEANINGS[word])] += 1
            vector[4 + hashlib.sha256(word.encode()).digest()[0] % 8] += 0.15
        return vector / (np.linalg.norm(vector) or 1)


@pytest.fixture(params=["with an encoder", "by words alone"])
def matcher(request: pytest.FixtureRequest) -> HybridMatcher:
    return HybridMatcher(ENTRIES, LittleEncoder() if request.param == "with an encoder" else None)


@pytest.mark.parametrize("entry", ENTRIES, ids=[e.id for e in ENTRIES])
def test_an_entrys_own_phrasings_find_it(matcher: HybridMatcher, entry: Entry) -> None:
    for match in matcher.match(entry.phrasings):
        assert match.candidates[0].id == entry.id


def test_another_word_for_the_same_thing_is_found_by_meaning() -> None:
    [match] = HybridMatcher(ENTRIES, LittleEncoder()).match(["has my shipment left"])
    assert (match.outcome, match.candidates[0].id) == (Outcome.ANSWER, "track")


def test_by_words_alone_another_word_is_honestly_not_known() -> None:
    [match] = HybridMatcher(ENTRIES, None).match(["has my shipment left"])
    assert match.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("text", ["zxqv wvut", "why", "???", "😀", "日本語", "the of and", "x" * 16_000])
def test_what_no_entry_speaks_of_is_unknown(matcher: HybridMatcher, text: str) -> None:
    [match] = matcher.match([text])
    assert match.outcome is Outcome.UNKNOWN
    assert match.probability < 0.5


ASK_BACK = MatcherCalibration(answer_at=1.1, clarify_at=0.0, clarify_within=0.08)
"""Never sure enough to answer, always sure enough to ask back."""


def test_where_two_entries_fit_they_are_asked_back_about() -> None:
    [match] = HybridMatcher(ENTRIES, LittleEncoder(), ASK_BACK).match(["parcel refund"])
    assert match.outcome is Outcome.CLARIFY
    assert {c.id for c in match.candidates} == {"track", "refund"}


def test_a_third_entry_is_asked_back_about_only_when_it_is_close_to_the_best() -> None:
    close = [Candidate("a", 0.8), Candidate("b", 0.5), Candidate("c", 0.73)]
    far = [Candidate("a", 0.8), Candidate("b", 0.5), Candidate("c", 0.49)]
    assert [c.id for c in ASK_BACK.near(close)] == ["a", "b", "c"]
    assert [c.id for c in ASK_BACK.near(far)] == ["a", "b"]


@pytest.mark.parametrize(
    ("best", "outcome"),
    [([0.9, 0.1], Outcome.ANSWER), ([0.62, 0.6], Outcome.CLARIFY), ([0.1, 0.0], Outcome.UNKNOWN),
     ([0.62], Outcome.ANSWER)],
)  # fmt: skip
def test_the_calibrated_probability_decides_what_is_done(best: list[float], outcome: Outcome) -> None:
    assert MatcherCalibration().decide(best)[0] is outcome


def test_a_single_entry_is_never_asked_back_about() -> None:
    [match] = HybridMatcher(ENTRIES[:1], LittleEncoder(), ASK_BACK).match(["where is my parcel"])
    assert match.outcome is Outcome.UNKNOWN


def test_candidates_come_best_first(matcher: HybridMatcher) -> None:
    for match in matcher.match(["return my parcel for a refund", "opening hours"]):
        scores = [c.score for c in match.candidates]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) <= 3


def test_the_probability_grows_with_the_score_and_with_the_gap() -> None:
    decide = MatcherCalibration().decide
    alone, close = decide([0.6, 0.1])[1], decide([0.6, 0.5])[1]
    assert close < alone < decide([0.8, 0.1])[1]


def test_the_probability_is_the_calibrated_sigmoid() -> None:
    calibration = MatcherCalibration(scale=2.0, margin=3.0, bias=-1.0)
    assert calibration.decide([0.7, 0.2])[1] == pytest.approx(1 / (1 + np.exp(-(2 * 0.7 + 3 * 0.5 - 1))))


def test_small_talk_is_neither_a_question_nor_a_miss(matcher: HybridMatcher) -> None:
    [match] = matcher.match(["thanks!"])
    assert (match.outcome, match.smalltalk, match.candidates) == (Outcome.SMALLTALK, "thanks", ())


def test_a_match_carries_the_vector_when_there_is_one() -> None:
    [match] = HybridMatcher(ENTRIES, LittleEncoder()).match(["where is my parcel"])
    assert np.linalg.norm(match.vector) == pytest.approx(1)
    assert HybridMatcher(ENTRIES, None).match(["where is my parcel"])[0].vector == ()


def test_a_text_matches_the_same_alone_and_in_a_batch(matcher: HybridMatcher) -> None:
    texts = ["where is my parcel", "thanks", "money back", "nonsense zzz"]
    assert matcher.match(texts) == [matcher.match([text])[0] for text in texts]
    assert matcher.match([]) == []


def test_a_shop_without_entries_cannot_have_a_matcher() -> None:
    with pytest.raises(ValueError, match="at least one"):
        HybridMatcher([], None)


def test_entries_are_encoded_once_and_then_read_from_the_cache(tmp_path: Path) -> None:
    first, second = LittleEncoder(), LittleEncoder()
    before = HybridMatcher(ENTRIES, first, cache=tmp_path / "cache").match(["money back"])
    after = HybridMatcher(ENTRIES, second, cache=tmp_path / "cache").match(["money back"])
    assert (len(first.calls), len(second.calls)) == (3, 2)  # one call more: the encoder's own witness
    assert before == after


def test_a_changed_entry_is_encoded_again(tmp_path: Path) -> None:
    HybridMatcher(ENTRIES, LittleEncoder(), cache=tmp_path)
    encoder = LittleEncoder()
    HybridMatcher([*ENTRIES[:3], Entry("hours", ("new words",))], encoder, cache=tmp_path)
    assert len(encoder.calls) == 2


def test_a_cache_file_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    """A crash or a full disk while it was written must not keep the service from starting ever after."""
    HybridMatcher(ENTRIES, LittleEncoder(), cache=tmp_path)
    [kept] = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    [match] = HybridMatcher(ENTRIES, LittleEncoder(), cache=tmp_path).match(["where is my parcel"])
    assert match.candidates[0].id == "track"


def test_another_encoders_cache_is_not_taken_for_ones_own(tmp_path: Path) -> None:
    class Wider(LittleEncoder):
        width = 16

    HybridMatcher(ENTRIES, LittleEncoder(), cache=tmp_path)
    [match] = HybridMatcher(ENTRIES, Wider(), cache=tmp_path).match(["where is my parcel"])
    assert match.candidates[0].id == "track"


def test_a_calibration_is_read_from_its_file_and_else_the_default(tmp_path: Path) -> None:
    path = tmp_path / "matcher.json"
    assert MatcherCalibration.load(path) == MatcherCalibration()
    path.write_text('{"answer_at": 0.9}')
    assert MatcherCalibration.load(path).answer_at == 0.9
