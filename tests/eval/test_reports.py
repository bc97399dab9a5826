"""Reports: three files, readable by people and machines, self-contained."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from eval import plots, report
from eval.data import Split
from eval.emotion import run as run_emotion
from eval.fairness import run as run_fairness
from eval.faq import run as run_faq
from eval.metrics import Estimate
from eval.options import Options
from eval.report import Plot, Report, Table
from eval.speed import run as run_speed
from handoff.signals import UPSET


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def check_files(paths) -> dict:
    kept, markdown, page = (path.read_text(encoding="utf-8") for path in paths)
    parsed = Page()
    parsed.feed(page)
    names = [tag for tag, _ in parsed.tags]
    pictures = [a["aria-label"] for _, a in parsed.tags if a.get("role") == "img"]
    assert names.count("svg") == len(pictures)
    assert all(pictures), "each says what it shows"
    assert not any("src" in a or tag == "link" for tag, a in parsed.tags), "nothing is fetched"
    ids = [a["id"] for _, a in parsed.tags if "id" in a]
    assert len(ids) == len(set(ids)), "ids are unique in the page"
    assert "NaN" not in kept
    assert markdown.startswith("# ")
    return json.loads(kept)


def test_a_report_is_written_in_three_forms(tmp_path):
    made = Report("x", "A title & more", {"reader": "r"})
    made.parts.append(Table("T", ["a", "b"], [["<b>", Estimate(0.5, 0.4, 0.6)], ["n", float("nan")]]))
    svg = plots.confusion(np.array([[3, 1], [0, 2]]), ["a", "b"], "c")
    made.parts.append(Plot("P", svg, "Two by two.", Table("C", ["a"], [[1]])))
    made.figures["e"] = {"v": Estimate(0.5, 0.4, float("inf")), "n": float("nan")}
    kept = check_files(report.write(made, tmp_path))
    assert kept["figures"]["e"] == {"v": {"value": 0.5, "low": 0.4, "high": None}, "n": None}
    page = (tmp_path / "x.html").read_text()
    assert "&lt;b&gt;" in page
    assert "A title &amp; more" in page
    assert "0.500 [0.400, 0.600]" in (tmp_path / "x.md").read_text()


@pytest.mark.parametrize(("run", "limit"), [(run_faq, 120), (run_fairness, 120), (run_speed, 2)])
def test_commands_write_reports_on_a_few_rows(run, limit, tmp_path):
    made = run(Options(limit=limit, out=tmp_path, reader="rules"))
    kept = check_files(report.write(made, tmp_path))
    assert kept["facts"]["split"] == "dev"
    assert kept["tables"]


def test_handoff_from_the_command_line(tmp_path):
    command = [sys.executable, "-m", "eval", "handoff", "--limit", "4", "--reader", "rules", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    kept = check_files([tmp_path / f"handoff.{kind}" for kind in ("json", "md", "html")])
    last = f"last message >= {UPSET:g}"
    assert set(kept["figures"]["handoff"]) == {"bot, rules", "never", "always", "keyword list", "emotion only", last}
    assert "calm interrupted" in done.stdout


def test_emotion_without_the_public_data(tmp_path):
    made = run_emotion(Options(data=tmp_path, limit=150, out=tmp_path, reader="rules"))
    kept = check_files(report.write(made, tmp_path))
    assert {"majority", "rules", "VADER", "TF-IDF + LR"} <= set(kept["figures"]["states"])
    assert "goemotions" not in kept["figures"]
    assert {"reliability", "confusion", "precision-recall", "tags"} <= set(
        re.findall(r'id="([a-z-]+)-figure_1"', (tmp_path / "emotion.html").read_text())
    )


def test_the_test_split_must_be_asked_for():
    assert Options().split is Split.DEV
    assert Options(split=Split.TEST).name("emotion") == "emotion-test"
