"""A model that cannot be loaded is a problem that is told, never a crash: the rules take its place."""

import json
import shutil
from pathlib import Path

import pytest

from models.base import EMOTIONS, FLAGS, STATES, Utterance
from models.catalog import ARTIFACTS, load_encoder, load_reader

GOOD = {
    "name": "test", "emotions": list(EMOTIONS), "states": list(STATES), "flags": list(FLAGS),
    "emotion_thresholds": [0.3] * 28, "state_temperature": 1.0, "state_bias": [0.0] * 5, "state_emotion": [0.0] * 5,
    "state_words": 0.0,
    "flag_scale": [1.0] * 3, "flag_words": [0.0] * 3, "flag_bias": [0.0] * 3, "flag_thresholds": [0.5] * 3,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose calibration is good and whose network is garbage."""
    (tmp_path / "calibration.json").write_text(json.dumps(GOOD))
    (tmp_path / "model.onnx").write_bytes(b"\x08\x07garbage\x00\xff" * 50)
    for name in ("trunk.onnx", "vector.onnx"):
        (tmp_path / name).write_bytes(b"\x08\x07garbage\x00\xff" * 50)
    (tmp_path / "tokenizer.json").write_text("{}")
    return tmp_path


def falls_back(folder: Path) -> str:
    """The problem that is told, after the reader was seen to read all the same."""
    loaded = load_reader(str(folder))
    assert loaded.model.name == "rules"
    assert loaded.model.read([Utterance("this is ridiculous")])[0].state == "frustrated"
    assert loaded.problem is not None
    assert str(folder) in loaded.problem
    return loaded.problem


def test_the_rules_are_no_problem_when_they_were_asked_for() -> None:
    loaded = load_reader("rules")
    assert (loaded.model.name, loaded.problem) == ("rules", None)


def test_a_missing_folder_falls_back_and_says_so(tmp_path: Path) -> None:
    assert falls_back(tmp_path / "nowhere")


def test_an_empty_folder_falls_back_and_says_so(tmp_path: Path) -> None:
    falls_back(tmp_path)


def test_a_network_of_garbage_bytes_falls_back_and_says_so(folder: Path) -> None:
    assert "cannot be loaded" in falls_back(folder)


def test_a_network_that_takes_something_else_falls_back_and_says_so(folder: Path) -> None:
    """Otherwise it would load, and fail on the first customer."""
    shutil.copy(ARTIFACTS / "encoder" / "vector.onnx", folder / "model.onnx")
    assert "takes hidden, not back, hidden" in falls_back(folder)


def test_reader_and_encoder_stand_on_one_trunk() -> None:
    reader, encoder = load_reader().model, load_encoder().model
    assert reader._network._trunk is encoder._trunk  # type: ignore[attr-defined, union-attr]


def test_an_empty_network_file_falls_back_and_says_so(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"")
    falls_back(folder)


@pytest.mark.parametrize(
    "broken", ["", "{", "[]", "null", "{}", '{"name": "x"}', "\x00", json.dumps(GOOD | {"state_temperature": "warm"})]
)
def test_a_broken_calibration_falls_back_and_names_the_file(folder: Path, broken: str) -> None:
    (folder / "calibration.json").write_text(broken)
    assert "calibration.json" in falls_back(folder)


def test_a_calibration_that_is_not_text_falls_back(folder: Path) -> None:
    (folder / "calibration.json").write_bytes(b"\xff\xfe\x00")
    assert "calibration.json" in falls_back(folder)


@pytest.mark.parametrize("key", ["emotions", "states", "flags"])
def test_a_calibration_for_other_labels_is_refused(folder: Path, key: str) -> None:
    (folder / "calibration.json").write_text(json.dumps(GOOD | {key: GOOD[key][::-1]}))  # type: ignore[index]
    assert "labels differ" in falls_back(folder)


@pytest.mark.parametrize(
    "key", ["emotion_thresholds", "state_bias", "state_emotion", "flag_scale", "flag_bias", "flag_thresholds"]
)
def test_a_calibration_of_another_shape_is_refused(folder: Path, key: str) -> None:
    """Otherwise it would load, and fail on the first customer."""
    (folder / "calibration.json").write_text(json.dumps(GOOD | {key: [0.5, 0.5]}))
    assert "calibration.json" in falls_back(folder)


def test_without_an_encoder_there_is_none_and_a_problem(tmp_path: Path) -> None:
    loaded = load_encoder(str(tmp_path / "nowhere"))
    assert loaded.model is None
    assert loaded.problem is not None
    assert "nowhere" in loaded.problem


@pytest.mark.parametrize("good", [(), ("trunk.onnx",), ("trunk.onnx", "tokenizer.json")])
def test_an_encoder_with_a_file_of_garbage_is_none_and_a_problem(folder: Path, good: tuple[str, ...]) -> None:
    for name in good:
        shutil.copy(ARTIFACTS / "encoder" / name, folder)
    loaded = load_encoder(str(folder))
    assert loaded.model is None
    assert loaded.problem
