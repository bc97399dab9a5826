"""What every measuring command is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.data import Split

PUBLIC = Path(__file__).parents[2] / "shared" / "data"
REPORTS = Path("reports")


@dataclass(frozen=True)
class Options:
    """Where the data is, what is scored, by which reader, and where the report goes."""

    data: Path = PUBLIC
    split: Split = Split.DEV
    limit: int | None = None
    seed: int = 0
    out: Path = REPORTS
    reader: str = "shipped"
    alpha: float = 0.1
    """The share of frustrated customers that the conformal bound allows to be missed."""

    @property
    def is_fitted_here(self) -> bool:
        """Whether the shipped thresholds were locked on the split that is scored."""
        return self.split is Split.DEV

    def name(self, command: str) -> str:
        """The report's file name: the dev split is the usual one and is not named."""
        return command if self.split is Split.DEV else f"{command}-{self.split.value}"

    def facts(self, reader: str) -> dict[str, Any]:
        """How a report was made."""
        return {
            "reader": reader, "split": self.split.value, "seed": self.seed,
            "limit": "none" if self.limit is None else self.limit,
        }  # fmt: skip
