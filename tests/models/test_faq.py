"""The matcher: the right entry, a question back where two fit, an honest "not known"; with an encoder or without."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.base import Candidate, Entry, Outcome
from models.calibration import FEATURES
from models.faq import HybridMatcher, MatcherCalibration
from models.head import fit_head

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


ASK_BACK = MatcherCalibration(answer_at=1.1, known_at=0.0, clarify_within=0.08)
"""Never sure enough to answer, always sure enough to ask back."""


def test_where_two_entries_fit_they_are_asked_back_about() -> None:
    [match] = HybridMatcher(ENTRIES, LittleEncoder(), ASK_BACK).match(["parcel refund"])
    assert match.outcome is Outcome.CLARIFY
    assert {c.id for c in match.candidates} == {"track", "refund"}


def test_a_third_entry_is_asked_back_about_only_when_it_is_close_to_the_best() -> None:
    close = [Candidate("a", 0.8), Candidate("b", 0.5), Candidate("c", 0.73)]
    far = [Candidate("a", 0.8), Candidate("b", 0.5), Candidate("c", 0.49)]
    assert [c.id for c in ASK_BACK.choices(close)] == ["a", "b", "c"]
    assert [c.id for c in ASK_BACK.choices(far)] == ["a", "b"]


@pytest.mark.parametrize(
    ("known", "right", "entries", "outcome"),
    [
        (0.9, 0.8, 4, Outcome.ANSWER), (0.9, 0.3, 4, Outcome.CLARIFY), (0.2, 0.1, 4, Outcome.UNKNOWN),
        (0.9, 0.3, 1, Outcome.UNKNOWN), (0.9, 0.8, 1, Outcome.ANSWER),
    ],
)  # fmt: skip
def test_two_probabilities_decide_what_is_done(known: float, right: float, entries: int, outcome: Outcome) -> None:
    assert MatcherCalibration(known_at=0.5, answer_at=0.5).decide(known, right, entries) is outcome


def test_a_single_entry_is_never_asked_back_about() -> None:
    [match] = HybridMatcher(ENTRIES[:1], LittleEncoder(), ASK_BACK).match(["where is my parcel"])
    assert match.outcome is Outcome.UNKNOWN


def test_candidates_come_best_first(matcher: HybridMatcher) -> None:
    for match in matcher.match(["return my parcel for a refund", "opening hours"]):
        scores = [c.score for c in match.candidates]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) <= 3


def features(**named: float) -> np.ndarray:
    return np.array([named.get(name, 0.0) for name in FEATURES])


def test_the_probabilities_are_logistic_and_right_is_never_likelier_than_known() -> None:
    calibration = MatcherCalibration(known={"best": 2.0, "bias": -1.0}, right={"lead": 3.0})
    known, right = calibration.probabilities(features(best=0.7, lead=0.2, nearest=0.9))
    assert known == pytest.approx(1 / (1 + np.exp(-(2 * 0.7 - 1))))
    assert right == pytest.approx(known / (1 + np.exp(-3 * 0.2)))


def test_the_probability_grows_with_the_score_and_with_the_lead() -> None:
    right = [MatcherCalibration().probabilities(features(best=b, lead=lead))[1] for b, lead in
             ((0.6, 0.1), (0.6, 0.5), (0.8, 0.5))]  # fmt: skip
    assert right == sorted(right)


def test_a_calibration_has_another_for_words_alone(tmp_path: Path) -> None:
    path = tmp_path / "matcher.json"
    path.write_text('{"answer_at": 0.0, "words_alone": {"answer_at": 1.1, "known_at": 1.1}}')
    calibration = MatcherCalibration.load(path)
    [with_vectors] = HybridMatcher(ENTRIES, LittleEncoder(), calibration).match(["where is my parcel"])
    [by_words] = HybridMatcher(ENTRIES, None, calibration).match(["where is my parcel"])
    assert (with_vectors.outcome, by_words.outcome) == (Outcome.ANSWER, Outcome.UNKNOWN)


@pytest.mark.parametrize("text", ["10482", "my order number is HF-10482", "it's cora@example.com, thanks"])
def test_an_order_number_or_an_address_alone_is_no_miss(matcher: HybridMatcher, text: str) -> None:
    [match] = matcher.match([text])
    assert (match.outcome, match.smalltalk) == (Outcome.SMALLTALK, "reference")


def test_an_order_number_does_not_change_what_is_asked(matcher: HybridMatcher) -> None:
    with_number, without = matcher.match(["where is my parcel 10482", "where is my parcel"])
    assert with_number == without


def test_a_shop_with_an_entry_for_thanks_answers_thanks() -> None:
    entries = [*ENTRIES, Entry("thanks", ("thank you", "thanks a lot"), "You are welcome.")]
    matcher = HybridMatcher(entries, None, MatcherCalibration(answer_at=0.0))
    assert matcher.match(["thanks"])[0].candidates[0].id == "thanks"
    assert matcher.match(["hello"])[0].outcome is Outcome.SMALLTALK


ANSWER_ALL = MatcherCalibration(answer_at=0.0)
TWO = "where is my parcel? and when do i get my money back"


def test_two_questions_get_two_answers(matcher: HybridMatcher) -> None:
    [match] = matcher.under(ANSWER_ALL).match([TWO])
    assert match.outcome is Outcome.ANSWER
    assert {match.candidates[0].id, *(other.candidates[0].id for other in match.also)} == {"track", "refund"}
    assert all(other.outcome is Outcome.ANSWER and not other.also for other in match.also)


@pytest.mark.parametrize("text", ["where is my parcel? I want to track my parcel", "thanks! where is my parcel please"])
def test_one_question_gets_one_answer(matcher: HybridMatcher, text: str) -> None:
    [match] = matcher.under(ANSWER_ALL).match([text])
    assert match.also == ()


def test_a_second_question_that_is_not_known_leaves_the_match_as_it_is(matcher: HybridMatcher) -> None:
    unsure = replace(ANSWER_ALL, answer_at=1.1)
    [match] = matcher.under(unsure).match([TWO])
    assert match.also == ()


def test_many_examples_are_learned_from() -> None:
    """Two entries whose examples overlap in meaning: the head finds the direction that tells them apart."""
    rng = np.random.default_rng(0)
    shared, apart = rng.normal(size=32), rng.normal(size=32)
    labels = np.repeat([0, 1], 40)
    vectors = shared + np.where(labels, 0.3, -0.3)[:, None] * apart + rng.normal(size=(80, 32))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    train, test = np.arange(80) % 4 != 0, np.arange(80) % 4 == 0
    head = fit_head(vectors[train], labels[train], 2)
    nearest = labels[train][(vectors[test] @ vectors[train].T).argmax(1)]
    learned = (vectors[test] @ head).argmax(1)
    assert (learned == labels[test]).mean() > (nearest == labels[test]).mean()


def test_one_phrasing_an_entry_is_matched_by_its_cosine() -> None:
    vectors = np.eye(3, 8, dtype=np.float32)
    assert fit_head(vectors, np.arange(3), 3) == pytest.approx(vectors.T, abs=0.12)


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
