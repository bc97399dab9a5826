"""How fast a reading is, alone and by sixteen, beside a RoBERTa-base in PyTorch in the same run. One thread."""

import importlib
import importlib.util
import itertools
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from eval import plots, progress, readers
from eval.options import Options
from eval.report import Plot, Report, Table
from models.base import EmotionReader, SentenceEncoder, Utterance
from models.catalog import ARTIFACTS, load_encoder
from models.tokens import Tokens
from models.trunk import REMEMBERED

TOKENS = 24
BATCHES = (1, 16)
ROUNDS = 30
WARM_UP = 3
ROBERTA = {"vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1, "num_labels": 28}
"""RoBERTa-base otherwise as the library's defaults: 12 layers, width 768, 12 heads; 125M random weights."""
SENTENCE = "my {} parcel has not come and the page says it was left with a {} on our street this morning at"
COLOURS = (
    "blue", "red", "green", "white", "black", "brown", "grey", "pink", "gold", "silver", "large", "small", "round",
    "square", "heavy", "light", "long", "short", "old", "new",
)  # fmt: skip
PEOPLE = (
    "friend", "driver", "man", "woman", "teacher", "doctor", "guard", "cousin", "sister", "brother", "student",
    "nurse", "baker", "farmer", "judge", "priest", "king",
)  # fmt: skip


def run(options: Options) -> Report:
    """Time everything in turns, so that what the machine does meanwhile falls on all alike."""
    works, remarks = contenders(options)
    rounds = min(ROUNDS, options.limit or ROUNDS)
    report = Report(options.name("speed"), "How fast", options.facts(next(iter(works))) | {"rounds": rounds})
    times: dict[tuple[str, int], list[float]] = {(name, size): [] for name in works for size in BATCHES}
    for number in progress.bar(range(rounds + WARM_UP), "Timing"):
        for (name, size), kept in times.items():
            began = time.perf_counter()
            works[name](size)
            if number >= WARM_UP:
                kept.append((time.perf_counter() - began) * 1000)
    add(report, times, remarks)
    return report


def contenders(options: Options) -> tuple[dict[str, Callable[[int], Any]], list[str]]:
    """What is timed, each called with the batch size; and what had to be left out."""
    texts = itertools.cycle(texts_of_length(TOKENS))

    def some(size: int) -> list[str]:
        return list(itertools.islice(texts, size))

    reader, encoder = readers.open_reader(options.reader), load_encoder().model
    works: dict[str, Callable[[int], Any]] = {
        f"reader {reader.name}": lambda size: reader.read([Utterance(text) for text in some(size)])
    }
    remarks = []
    if encoder:
        works["FAQ vector"] = lambda size: encoder.encode(some(size))
        works["reader and FAQ vector"] = lambda size: both(reader, encoder, some(size))
    roberta = roberta_base()
    if roberta:
        works["RoBERTa-base, PyTorch"] = roberta
    else:
        remarks.append(
            "RoBERTa-base was not timed: PyTorch and transformers are missing here (pip install 'warmline[train]')."
        )
    return works, remarks


def both(reader: EmotionReader, encoder: SentenceEncoder, texts: list[str]) -> tuple[Any, Any]:
    """All heads and the FAQ vector of each text."""
    return reader.read([Utterance(text) for text in texts]), encoder.encode(texts)


def texts_of_length(tokens: int) -> list[str]:
    """Texts of exactly ``tokens`` tokens, the two special ones included; more than the trunk remembers, so that each
    is a new one to it."""
    packer = Tokens(ARTIFACTS / "encoder" / "tokenizer.json")
    texts = [SENTENCE.format(*words) for words in itertools.product(COLOURS, PEOPLE)]
    texts = [text for text in texts if len(packer.ids(text)) == tokens]
    if len(texts) <= REMEMBERED:
        raise ValueError(f"only {len(texts)} texts of {tokens} tokens; the trunk remembers {REMEMBERED}")
    return texts


def roberta_base() -> Callable[[int], Any] | None:
    """A forward pass of a RoBERTa-base-sized classifier with random weights, on one thread; None without PyTorch."""
    if not all(importlib.util.find_spec(name) for name in ("torch", "transformers")):
        return None
    torch, transformers = importlib.import_module("torch"), importlib.import_module("transformers")
    torch.set_num_threads(1)
    model = transformers.RobertaForSequenceClassification(transformers.RobertaConfig(**ROBERTA)).eval()
    ids = torch.from_numpy(np.random.default_rng(0).integers(5, 50_000, (max(BATCHES), TOKENS)))

    def forward(size: int) -> Any:
        with torch.inference_mode():
            return model(input_ids=ids[:size])

    return forward


def add(report: Report, times: dict[tuple[str, int], list[float]], remarks: list[str]) -> None:
    """Medians and ratios."""
    median = {key: statistics.median(values) for key, values in times.items()}
    names = list(dict.fromkeys(name for name, _ in times))
    rows = []
    for name in names:
        line: list[Any] = [name]
        for size in BATCHES:
            slow = median.get(("RoBERTa-base, PyTorch", size))
            spread = np.quantile(times[name, size], (0.05, 0.95))
            ratio = slow / median[name, size] if slow and "RoBERTa" not in name else None
            line += [f"{median[name, size]:.2f} ({spread[0]:.2f}-{spread[1]:.2f})", f"{ratio:.1f}x" if ratio else "-"]
            report.figures.setdefault(name, {})[f"by_{size}"] = {"median_ms": median[name, size], "times_faster": ratio}
        rows.append(line)
    headers = ["what", "alone, ms", "faster than RoBERTa", "16 at once, ms", "faster than RoBERTa"]
    note = " ".join([f"{TOKENS} tokens, one thread, int8; median and 5-95 % of rounds taken in turns.", *remarks])
    table = Table("One reading", headers, rows, note)
    alone = [(median[name, 1], *np.quantile(times[name, 1], (0.05, 0.95))) for name in names]
    alt = "Milliseconds for one text: " + "; ".join(f"{n} {v[0]:.1f}" for n, v in zip(names, alone, strict=True)) + "."
    report.parts.append(Plot("One reading", plots.bars(names, alone, "milliseconds", "speed"), alt, table, note))
