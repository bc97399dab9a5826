"""The gate passes on what the baseline was made of, and fails on a reader that became worse."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from eval import gate
from eval.gate import Comparison, GateError
from models.base import STATES
from models.catalog import load_reader
from models.rules import RulesReader

ROOT = Path(__file__).parents[2]
OWN = ("states", "flags")
SHIPPED = load_reader()


class Worse:
    """A reader that takes every frustrated customer for a calm one, and hears no request."""

    name = "worse"

    def __init__(self, reader) -> None:
        self._reader = reader

    def read(self, batch):
        calm = {s: float(s == "neutral") for s in STATES}
        said = self._reader.read(batch)
        return [replace(r, states=calm if r.state == "frustrated" else r.states, flagged=()) for r in said]


def test_the_same_reader_passes_and_a_worse_one_fails(tmp_path):
    path = tmp_path / "baseline.json"
    gate.write(gate.measure(RulesReader(), tmp_path, OWN), "rules", path)
    assert not any(c.is_worse for c in gate.compare(gate.measure(RulesReader(), tmp_path, OWN), path))
    worse = gate.compare(gate.measure(Worse(RulesReader()), tmp_path, OWN), path)
    assert [c.name for c in worse if c.is_worse] == list(OWN)


def test_a_loss_within_the_noise_passes():
    assert not Comparison("x", 0.8, 0.79, -0.03, 0.01).is_worse
    assert not Comparison("x", 0.8, 0.795, -0.009, -0.001).is_worse  # certain, but too small to matter
    assert Comparison("x", 0.8, 0.75, -0.07, -0.03).is_worse


def test_other_rows_are_not_compared(tmp_path):
    path = tmp_path / "baseline.json"
    with pytest.raises(GateError, match="gate --write"):
        gate.compare({}, path)
    samples = gate.measure(RulesReader(), tmp_path, OWN)
    gate.write(samples, "rules", path)
    changed = {name: replace(s, truth="other") for name, s in samples.items()}
    with pytest.raises(GateError, match="not those of the baseline"):
        gate.compare(changed, path)


def test_without_public_data_goemotions_is_left_out(tmp_path):
    assert gate.measure(RulesReader(), tmp_path, ("goemotions",)) == {}


def test_the_shipped_models_hold_the_baseline(tmp_path: Path):
    command = [sys.executable, "-m", "eval", "gate", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    worse = gate.compare(gate.measure(Worse(SHIPPED.model), tmp_path, OWN))
    assert [c.name for c in worse if c.is_worse] == list(OWN)
