"""Trials on public collections: what is asked is never among the entries, and missing data is said, not hidden."""

import csv
import hashlib

import numpy as np
import pytest

from eval import intents
from eval.options import Options
from eval.report import Report
from models.base import Entry
from models.training.matcher import Remembering, logistic, weights_of
from models.training.trials import FOLDS, is_held_out, own_trials, public_trials, read_examples


class Encoder:
    """A vector a text: its first word's direction, and a little of the rest."""

    def encode(self, texts):
        return np.stack([self.one(text) for text in texts])

    def one(self, text):
        first, *rest = text.split()
        vector = self.noise(first) + 0.3 * sum((self.noise(word) for word in rest), np.zeros(16))
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def noise(self, word):
        return np.random.default_rng(hashlib.sha256(word.encode()).digest()[0]).normal(size=16)


EXAMPLES = {f"entry {n}": [f"word{n}{k} please tell {k}" for k in range(10)] for n in range(10)}


def test_what_is_asked_is_never_among_the_entries_and_every_entry_is_once_away():
    trials = list(public_trials("shop", EXAMPLES, [f"weather {n}" for n in range(50)], Encoder()))
    assert len(trials) == FOLDS
    away = [set(EXAMPLES) - {entry.id for entry in trial.entries} for trial in trials]
    assert sorted(name for names in away for name in names) == sorted(EXAMPLES)
    for trial in trials:
        kept = {text for entry in trial.entries for text in entry.phrasings}
        owner = {text: name for name, texts in EXAMPLES.items() for text in texts}
        ids = {entry.id for entry in trial.entries}
        assert trial.questions
        for question in trial.questions:
            assert question.text not in kept
            assert question.ids == ({owner[question.text]} & ids if question.text in owner else set())


def test_copies_of_what_is_asked_are_not_among_the_entries_either():
    twice = {name: [*texts, *(f"{text} " for text in texts)] for name, texts in EXAMPLES.items()}
    for trial in public_trials("shop", twice, ["weather"] * 50, Encoder()):
        kept = {text.strip() for entry in trial.entries for text in entry.phrasings}
        assert not kept & {question.text.strip() for question in trial.questions}


def test_own_questions_are_asked_once_with_every_entry_and_once_without_theirs():
    entries = [Entry(str(n), (f"phrasing {n}",)) for n in range(10)]
    rows = [{"text": f"q{n}", "ids": [str(n)], "expect": "answer", "kind": "plain"} for n in range(10)]
    rows.append({"text": "hi", "ids": [], "expect": "smalltalk", "kind": "smalltalk"})
    whole, *rest = own_trials("own", entries, rows)
    assert len(whole.entries) == len(whole.questions) == 10
    assert sorted(q.text for trial in rest for q in trial.questions) == sorted(row["text"] for row in rows[:-1])
    assert not any(q.ids for trial in rest for q in trial.questions)


def test_weights_make_shops_alike_and_fix_the_unknown_share():
    shops = np.array(["a"] * 100 + ["b"] * 10)
    fits = np.array(([True] * 90 + [False] * 10) + [True] * 5 + [False] * 5)
    weight = weights_of(shops, fits)
    assert weight[shops == "a"].sum() == pytest.approx(weight[shops == "b"].sum())
    assert weight[~fits].sum() / weight.sum() == pytest.approx(0.25)


def test_a_feature_that_never_differs_has_no_coefficient():
    rng = np.random.default_rng(0)
    features = np.column_stack([rng.normal(size=(200, 2)), np.zeros(200), rng.normal(size=200)])
    found = logistic(features, features[:, 0] > 0)
    assert set(found) == {"best", "lead", "said", "bias"}
    assert found["best"] > 1 > abs(found["lead"])


def write(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "category"), *rows])


def test_banking_is_asked_only_what_is_held_out(tmp_path):
    write(tmp_path / "banking77" / "train.csv", [(text, name) for name, texts in EXAMPLES.items() for text in texts])
    assert read_examples(tmp_path / "banking77" / "train.csv") == EXAMPLES
    trial = intents.banking_trial(Options(data=tmp_path))
    assert {q.text for q in trial.questions} == {t for ts in EXAMPLES.values() for t in ts if is_held_out(t)}
    assert not any(is_held_out(text) for entry in trial.entries for text in entry.phrasings)


def test_the_collections_are_reported_and_what_is_missing_is_said(tmp_path, capsys):
    write(tmp_path / "banking77" / "train.csv", [(text, name) for name, texts in EXAMPLES.items() for text in texts])
    report = Report("faq", "t", {})
    intents.add(report, Remembering(Encoder()), Options(data=tmp_path))
    assert list(report.figures["intents"]) == ["Banking77"]
    assert report.parts[0].rows[0][0] == "Banking77"
    said = " ".join(capsys.readouterr().err.split())
    assert "Left out" in said
    assert "clinc150" in said


def test_without_any_data_there_is_no_table(tmp_path, capsys):
    report = Report("faq", "t", {})
    intents.add(report, Remembering(Encoder()), Options(data=tmp_path))
    assert (report.parts, report.figures) == ([], {})
    assert "banking77 is not in" in " ".join(capsys.readouterr().err.split())
