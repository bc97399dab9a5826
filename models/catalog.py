"""Name to loader: which reader and which encoder to use. The only place with lazy imports."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar

from models.base import EMOTION_STATES, EmotionReader, ModelUnavailable, SentenceEncoder
from models.rules import RulesReader

if TYPE_CHECKING:
    from models.trunk import Trunk

ARTIFACTS = Path(__file__).parent / "artifacts"
SHIPPED = "shipped"
T = TypeVar("T")
Labels = Mapping[str, str]
"""State by label."""


@dataclass(frozen=True)
class Loaded(Generic[T]):
    """A model, and why it is not the one that was asked for (None: it is)."""

    model: T
    problem: str | None = None


ENCODER = ARTIFACTS / "encoder"
"""The shipped trunk and sentence encoder."""


@functools.cache
def trunk(folder: Path) -> "Trunk":
    """The trunk in a folder, one for all that stand on it. Raises ModelUnavailable or ImportError."""
    from models.trunk import Trunk

    return Trunk(folder)


def _shipped_reader(_: str, __: Labels) -> EmotionReader:
    from models.emotion import OnnxEmotionReader

    return OnnxEmotionReader(ARTIFACTS / "emotion", trunk(ENCODER))


def _rules_reader(_: str, __: Labels) -> EmotionReader:
    return RulesReader()


def _own_reader(name: str, labels: Labels) -> EmotionReader:
    """An exported network of ours, which stands on the shipped trunk, or else any transformers checkpoint."""
    if (Path(name) / "model.onnx").exists():
        from models.emotion import OnnxEmotionReader

        return OnnxEmotionReader(Path(name), trunk(ENCODER))
    from models.torch_reader import TorchReader

    return TorchReader(name, labels or EMOTION_STATES)


_READERS: dict[str, Callable[[str, Labels], EmotionReader]] = {SHIPPED: _shipped_reader, "rules": _rules_reader}


def load_reader(name: str = SHIPPED, labels: Labels = MappingProxyType({})) -> Loaded[EmotionReader]:
    """The emotion reader called ``name``: ``shipped``, ``rules``, a folder, or a hub id of a transformers model.

    ``labels`` says which state each label of a transformers model speaks for; without it GoEmotions' labels are known.
    When it cannot be loaded the rules take its place, and ``problem`` says what to do.
    """
    try:
        return Loaded(_READERS.get(name, _own_reader)(name, labels))
    except ModelUnavailable as error:
        return Loaded(RulesReader(), str(error))
    except ImportError as error:
        hint = f"No exported network at {name!r}, and a transformers checkpoint needs: pip install 'warmline[train]'"
        return Loaded(RulesReader(), f"{hint} ({error})")


def load_encoder(name: str = SHIPPED) -> Loaded[SentenceEncoder | None]:
    """The sentence encoder called ``name`` (``shipped`` or a folder), or None and the problem.

    Without one the matcher goes by words alone.
    """
    try:
        from models.encoder import OnnxSentenceEncoder

        folder = ENCODER if name == SHIPPED else Path(name)
        return Loaded(OnnxSentenceEncoder(folder, trunk(folder)))
    except (ModelUnavailable, ImportError) as error:
        return Loaded(None, str(error))
