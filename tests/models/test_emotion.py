"""From logits to a calibrated reading; and, where the shipped network is at hand, the network itself."""

import numpy as np
import pytest

from models.base import EMOTIONS, FLAGS, STATES, EmotionReader, Utterance
from models.catalog import load_encoder, load_reader
from models.emotion import Calibration, readings_of, sigmoid, softmax

TEXTS = [
    Utterance("Where is my parcel?"), Utterance("thanks so much, you have been lovely"), Utterance(""),
    Utterance("This is the third time I ask!! Nobody answers", ("Where is my order?", "hello?")),
    Utterance("I don't understand the return form"), Utterance("😡😡"), Utterance("word " * 900),
    Utterance("My daughter's wedding is on Saturday and nothing has come, I am so worried"),
]  # fmt: skip


def calibration(**changed: object) -> Calibration:
    plain = {
        "name": "test", "emotion_thresholds": np.full(28, 0.5), "state_temperature": 1.0,
        "state_bias": np.zeros(5), "state_emotion": np.zeros(5), "state_words": 0.0,
        "flag_scale": np.ones(3), "flag_words": np.zeros(3), "flag_bias": np.zeros(3),
        "flag_thresholds": np.full(3, 0.5),
    }  # fmt: skip
    return Calibration(**plain | changed)  # type: ignore[arg-type]


def logits(states=(0, 0, 0, 0, 0), flags=(0, 0, 0), emotions=None) -> dict[str, np.ndarray]:
    return {
        "states": np.array([states], dtype=np.float32),
        "flags": np.array([flags], dtype=np.float32),
        "emotions": np.array([emotions if emotions is not None else [-9.0] * 28], dtype=np.float32),
    }


def test_states_are_a_softmax_and_sum_to_one() -> None:
    [reading] = readings_of(logits(states=(2, 1, 0, 0, 0)), calibration())
    raw = np.exp([2, 1, 0, 0, 0])
    assert list(reading.states.values()) == pytest.approx(raw / raw.sum())
    assert tuple(reading.states) == STATES


def test_a_temperature_above_one_makes_it_less_sure_but_not_of_another_mind() -> None:
    [cold] = readings_of(logits(states=(2, 1, 0, 0, 0)), calibration())
    [warm] = readings_of(logits(states=(2, 1, 0, 0, 0)), calibration(state_temperature=2.0))
    assert warm.state == cold.state == "frustrated"
    assert warm.states["frustrated"] < cold.states["frustrated"]


def test_the_bias_is_added_after_the_temperature() -> None:
    [reading] = readings_of(
        logits(states=(2, 0, 0, 0, 0)), calibration(state_temperature=2.0, state_bias=np.array([0, 1.0, 0, 0, 0]))
    )
    assert reading.states["frustrated"] == pytest.approx(reading.states["confused"])


def test_flags_are_platt_scaled() -> None:
    [reading] = readings_of(
        logits(flags=(1, 1, 1)), calibration(flag_scale=np.array([2.0, 1, 1]), flag_bias=np.array([-1.0, 0, 0]))
    )
    assert reading.flags["asked_for_human"] == pytest.approx(1 / (1 + np.exp(-1.0)))


def test_a_flag_is_raised_exactly_at_its_own_threshold() -> None:
    [reading] = readings_of(logits(flags=(0, 0, 0)), calibration(flag_thresholds=np.array([0.5, 0.51, 0.4])))
    assert reading.flagged == ("asked_for_human", "safety")


def test_labels_are_those_over_their_own_thresholds_the_most_probable_first() -> None:
    emotions = [-9.0] * 28
    for label, value in (("anger", 1.0), ("annoyance", 2.0), ("joy", 1.0)):
        emotions[EMOTIONS.index(label)] = value
    thresholds = np.full(28, 0.5)
    thresholds[EMOTIONS.index("joy")] = 0.9
    [reading] = readings_of(logits(emotions=emotions), calibration(emotion_thresholds=thresholds))
    assert reading.labels == ("annoyance", "anger")


def test_each_row_is_read_by_itself() -> None:
    two = {key: np.concatenate([a, b]) for (key, a), b in zip(
        logits(states=(5, 0, 0, 0, 0)).items(), logits(states=(0, 5, 0, 0, 0)).values(), strict=True)}  # fmt: skip
    assert [r.state for r in readings_of(two, calibration())] == ["frustrated", "confused"]


def test_extreme_logits_stay_numbers() -> None:
    with np.errstate(over="ignore"):
        [reading] = readings_of(logits(states=(900, -900, 0, 0, 0), flags=(60, -60, 0)), calibration())
    assert reading.states["frustrated"] == pytest.approx(1)
    assert np.isfinite([*reading.states.values(), *reading.flags.values()]).all()


def test_softmax_and_sigmoid_are_themselves() -> None:
    assert softmax(np.array([[0.0, 0.0]])).tolist() == [[0.5, 0.5]]
    assert sigmoid(np.array([0.0])).tolist() == [0.5]


@pytest.fixture(scope="module")
def shipped() -> EmotionReader:
    loaded = load_reader()
    assert loaded.problem is None, loaded.problem
    return loaded.model


def test_the_shipped_reader_loads_and_has_a_name_of_its_own(shipped: EmotionReader) -> None:
    assert shipped.name != "rules"


def test_the_same_text_reads_the_same_in_any_batch(shipped: EmotionReader) -> None:
    together = shipped.read(TEXTS)
    for utterance, in_batch in zip(TEXTS, together, strict=True):
        [alone] = shipped.read([utterance])
        assert alone.states == pytest.approx(in_batch.states, abs=1e-4)
        assert alone.flags == pytest.approx(in_batch.flags, abs=1e-4)
        assert alone.emotions == pytest.approx(in_batch.emotions, abs=1e-4)
        assert (alone.state, alone.labels, alone.flagged) == (in_batch.state, in_batch.labels, in_batch.flagged)


def test_reading_twice_gives_exactly_the_same(shipped: EmotionReader) -> None:
    assert shipped.read(TEXTS) == shipped.read(TEXTS)


def test_every_reading_is_whole(shipped: EmotionReader) -> None:
    for reading in shipped.read(TEXTS):
        assert (tuple(reading.states), tuple(reading.flags), tuple(reading.emotions)) == (STATES, FLAGS, EMOTIONS)
        assert sum(reading.states.values()) == pytest.approx(1, abs=1e-4)
        assert all(0 <= p <= 1 for p in (*reading.flags.values(), *reading.emotions.values()))


def test_what_nobody_could_misread_is_read_right(shipped: EmotionReader) -> None:
    texts = ("This is ridiculous! I am furious, third time you got my order wrong", "Thank you so much, wonderful!")
    angry, kind = shipped.read([Utterance(text) for text in texts])
    assert (angry.state, kind.state) == ("frustrated", "pleased")


def test_reading_nothing_gives_nothing(shipped: EmotionReader) -> None:
    assert shipped.read([]) == []


def test_a_sentence_has_the_same_unit_vector_in_any_batch() -> None:
    encoder = load_encoder().model
    assert encoder is not None
    texts = [u.text for u in TEXTS]
    together = encoder.encode(texts)
    assert together.shape == (len(texts), 384)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-4)
    for i, text in enumerate(texts):
        assert encoder.encode([text])[0] == pytest.approx(together[i], abs=1e-4)


@pytest.mark.parametrize("text", ["I am furious", "This is ridiculous", "I am so angry right now"])
def test_plain_anger_is_frustration_and_no_insult(text: str) -> None:
    [reading] = load_reader().model.read([Utterance(text)])
    assert (reading.state, reading.flagged) == ("frustrated", ())
