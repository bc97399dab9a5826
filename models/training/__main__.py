"""``python -m models.training``: make everything in ``models/artifacts`` again."""

import os
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from rich.console import Console

from models.base import EMOTIONS, FLAGS, STATES, Utterance
from models.catalog import ARTIFACTS, ENCODER, trunk
from models.emotion import ReaderNetwork, sigmoid, strongest
from models.training import corpus, reader
from models.training.calibrate import write_calibration
from models.training.corpus import Example
from models.training.export import export_encoder, export_reader
from models.training.matcher import fit_matcher
from models.training.words import fit_words
from models.words import Words

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Make the shipped models again.")
console = Console()
OPENLY_FELT = 0.05
"""Weight of GoEmotions' plain cases beside the own messages when the states are calibrated."""
OWN = Path(__file__).parents[2] / "eval" / "data"

Data = Annotated[Path, typer.Option(help="Folder with the public data sets.")]
Runs = Annotated[Path, typer.Option(help="Where checkpoints are kept; a stopped run goes on from there.")]


@app.command(name="reader")
def make_reader(
    data: Data = Path("../shared/data"),
    runs: Runs = Path("runs/reader"),
    out: Path = ARTIFACTS / "emotion",
    seed: int = 0,
) -> None:
    """Train, export and calibrate the reader: about 45 minutes on two cores."""
    torch.set_num_threads(os.cpu_count() or 1)
    network = reader.train(reader.load_sources(data, OWN), runs, seed)
    export_reader(network, out)
    make_words(out)
    calibrate_reader(data, out)
    console.print(f"Written to {out}. Now measure it: python -m eval emotion")


@app.command(name="calibrate")
def calibrate_reader(data: Data = Path("../shared/data"), out: Path = ARTIFACTS / "emotion") -> None:
    """Lock thresholds and calibration of the exported reader on the development splits."""
    network = ReaderNetwork(out, trunk(ENCODER))
    goemotions = corpus.load_goemotions(data / "goemotions" / "dev.tsv")
    own = corpus.load_messages(sorted(OWN.glob("messages/dev*.jsonl")))
    own += corpus.load_dialogues(sorted(OWN.glob("dialogues/dev*.jsonl")))
    emotions, service = _logits(network, goemotions), _logits(network, own)
    words = Words.load(out / "words.npz")
    if words is None:
        raise typer.BadParameter(f"{out} has no words.npz yet. Make it first: python -m models.training words")
    heard, elsewhere = words.logits([e.text for e in own]), words.logits([e.text for e in goemotions])
    write_calibration(
        out / "calibration.json",
        "warmline-reader-4",
        (emotions["emotions"], _targets(goemotions, "emotions", len(EMOTIONS))),
        _states(service, own, emotions, goemotions, heard["states"], elsewhere["states"]),
        (service["flags"], _targets(own, "flags", len(FLAGS)), heard["flags"]),
    )


@app.command(name="words")
def make_words(out: Path = ARTIFACTS / "emotion") -> None:
    """Fit the words' model beside the network: a minute. Calibrate afterwards."""
    own = corpus.load_messages(sorted(OWN.glob("messages/train_*.jsonl")))
    own += corpus.load_dialogues(sorted(OWN.glob("dialogues/train_*.jsonl")))
    fit_words(own).save(out / "words.npz")


@app.command(name="encoder")
def make_encoder(out: Path = ARTIFACTS / "encoder") -> None:
    """Export the sentence encoder."""
    export_encoder(out)


@app.command(name="matcher")
def make_matcher(
    shop: Annotated[Path, typer.Option(help="The shop's file.")] = Path("app/shops/demo.yaml"),
    questions: Annotated[Path, typer.Option(help="Labelled questions.")] = OWN / "faq" / "hazel-and-finch_dev.jsonl",
    data: Data = Path("../shared/data"),
    out: Path = ARTIFACTS / "encoder" / "matcher.json",
) -> None:
    """Fit the matcher's weights, probabilities and thresholds on labelled questions: about two minutes."""
    fit_matcher(shop, corpus.read_jsonl(questions), data, out)


def _states(
    service: dict[str, np.ndarray],
    own: list[Example],
    emotions: dict[str, np.ndarray],
    goemotions: list[Example],
    heard: np.ndarray,
    elsewhere: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Logits, targets, strongest emotions and words' logits: the own messages, and GoEmotions' plain cases for less.

    The project's messages were written to be hard; openly felt ones are common among customers all the same.
    """
    open_states = corpus.states_of_emotions(_targets(goemotions, "emotions", len(EMOTIONS)))
    clear = np.flatnonzero(open_states.sum(1))
    share = len(own) / len(clear) * OPENLY_FELT
    logits = np.concatenate([service["states"], emotions["states"][clear]])
    targets = np.concatenate([_targets(own, "states", len(STATES)), open_states[clear] * share])
    felt = np.concatenate([strongest(sigmoid(service["emotions"])), strongest(sigmoid(emotions["emotions"][clear]))])
    return logits, targets, felt, np.concatenate([heard, elsewhere[clear]])


def _logits(network: ReaderNetwork, examples: list[Example]) -> dict[str, np.ndarray]:
    return network.logits([Utterance(e.text, e.before) for e in examples])


def _targets(examples: list[Example], head: str, size: int) -> np.ndarray:
    rows = np.stack([e.targets[head] for e in examples])
    assert rows.shape[1] == size
    return rows


if __name__ == "__main__":
    app()
