"""The filters as anyone would use them: a process with lines in and lines out."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from eval.shopfile import BadShopFile, load_entries
from models.base import EMOTIONS, STATES

ROOT = Path(__file__).parents[2]
ENTRIES = """
- id: delivery
  examples: ["how long does delivery take", "when will my parcel arrive"]
- id: returns
  examples: ["how do I send something back", "what is your returns policy"]
"""


def start(*arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "eval", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(lines: bytes, *arguments: str) -> tuple[list[dict], int, str]:
    out, err = (process := start(*arguments)).communicate(lines, timeout=50)
    return [json.loads(line) for line in out.splitlines()], process.returncode, err.decode()


def dumped(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def test_read_keeps_order_and_marks_bad_lines():
    good = [{"text": f"this is ridiculous, message {i}"} for i in range(200)]
    lines = dumped(*good[:100]) + b'{"text": 3}\nnot json\n\n[1]\n\xff\xfe\n' + dumped(*good[100:])
    found, code, _ = run(lines.rstrip(), "read", "--reader", "rules")  # the last line has no end
    assert code == 1
    assert len(found) == 205
    bad = found[100:105]
    assert [row["line"] for row in bad] == [101, 102, 103, 104, 105]
    assert all(set(row) == {"error", "line"} for row in bad)
    kept = found[:100] + found[105:]
    assert all(set(row) == {"state", "states", "emotions", "labels", "flagged", "flags"} for row in kept)
    assert all(set(row["states"]) == set(STATES) and row["state"] == "frustrated" for row in kept)


def test_read_with_the_shipped_reader():
    found, code, err = run(dumped({"text": "so?", "before": ["where is it", "hello??"]}, {"text": ""}), "read")
    assert code == 0
    assert sum(found[0]["states"].values()) == pytest.approx(1, abs=0.001)
    if "rules read instead" not in err:
        assert set(found[0]["emotions"]) == set(EMOTIONS)


def test_read_answers_before_the_input_ends():
    process = start("read", "--reader", "rules")
    assert process.stdin
    assert process.stdout
    for text in ("one", "two"):
        process.stdin.write(dumped({"text": text}))
        process.stdin.flush()
        answered: list[bytes] = []
        reading = threading.Thread(target=lambda kept=answered: kept.append(process.stdout.readline()))
        reading.start()
        reading.join(timeout=20)
        assert answered
        assert json.loads(answered[0])["state"] == "neutral"
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_match_with_a_small_list(tmp_path):
    shop = tmp_path / "entries.yaml"
    shop.write_text(ENTRIES)
    lines = dumped(
        {"text": "how long does delivery take"}, {"text": "thanks!"}, {"txt": "?"}, {"text": "who won the cup"}
    )
    found, code, _ = run(lines, "match", "--shop", str(shop))
    assert code == 1
    assert (found[0]["outcome"], found[0]["id"]) == ("answer", "delivery")
    assert 0 < found[0]["score"] <= 1
    assert {c["id"] for c in found[0]["candidates"]} == {"delivery", "returns"}
    assert found[1] == {"outcome": "unknown", "id": None, "score": 0.0, "candidates": []}
    assert found[2] == {"error": "text is missing", "line": 3}
    assert found[3]["outcome"] == "unknown"
    assert found[3]["id"] is not None


@pytest.mark.parametrize("content", ["- id: x\n", "[]", "faq: 3", "- {id: a, examples: yes}", "{"])
def test_match_says_what_is_wrong_with_the_file(tmp_path, content):
    shop = tmp_path / "bad.yaml"
    shop.write_text(content)
    with pytest.raises(BadShopFile, match=r"bad\.yaml"):
        load_entries(shop)


def test_a_file_that_is_not_there_is_said_in_one_line():
    found, code, err = run(b"", "match", "--shop", "nowhere.yaml")
    assert (found, code) == ([], 2)
    assert "nowhere.yaml" in err
    assert "Traceback" not in err


def test_replay_plays_the_bot_and_falls_silent_after_the_handoff():
    chats = [
        {"id": "a", "messages": [{"text": t} for t in ("hi", "let me talk to a human", "hello?")]},
        {"id": 7, "messages": []},
        {"id": "bad", "messages": [{"text": "   "}]},
        {"id": "b", "messages": [{"text": "How long does standard delivery take?"}]},
        {"messages": "x"},
    ]
    chats.append(chats[0])
    found, code, _ = run(dumped(*chats), "replay", "--reader", "rules")
    assert code == 1
    assert [turn["kind"] for turn in found[0]["turns"]] == ["smalltalk", "handoff", "with_person"]
    handoff, silent = found[0]["turns"][1:]
    assert handoff["reason"] == "asked"
    assert handoff["reply"]
    assert handoff["evidence"][0]["signal"] == "asked_for_human"
    assert handoff["evidence"][0]["turn"] == 2
    assert silent == {"kind": "with_person", "reason": None, "evidence": [], "reply": ""}
    assert found[1] == {"id": 7, "turns": []}
    assert found[2]["line"] == 3
    assert found[3]["id"] == "b"
    assert found[3]["turns"][0]["kind"] == "answer"
    assert found[4] == {"error": "messages must be a list of objects with a text", "line": 5}
    assert found[5] == found[0], "what is said never depends on who came before"
