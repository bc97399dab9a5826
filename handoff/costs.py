"""What mistakes cost the shop, in the owner's words, and the thresholds that follow."""

from dataclasses import dataclass
from enum import StrEnum


class Bad(StrEnum):
    """How bad a mistake is."""

    NOT_AT_ALL = "not at all"
    A_LITTLE = "a little"
    BAD = "bad"
    VERY_BAD = "very bad"


WEIGHT = {Bad.NOT_AT_ALL: 0.3, Bad.A_LITTLE: 1.0, Bad.BAD: 3.0, Bad.VERY_BAD: 9.0}


@dataclass(frozen=True)
class Costs:
    """What the owner says of the two mistakes."""

    needless_handoff: Bad = Bad.A_LITTLE
    """A person is brought to somebody who did not need one."""
    missed_customer: Bad = Bad.VERY_BAD
    """Somebody who needed a person does not get one in time."""

    def threshold(self, unit: float) -> float:
        """The need from which acting costs less than not acting.

        ``unit`` says how much a needless act weighs against a missed customer when both words are the same.
        """
        needless = unit * WEIGHT[self.needless_handoff]
        return needless / (needless + WEIGHT[self.missed_customer])
