"""What counts as right for a question to a shop."""

from eval.data import Question
from models.base import Match, Outcome


def is_right(match: Match, question: Question) -> bool:
    """Whether the desk did what was best: the right answer, a good question back, or an honest "not known"."""
    if question.expect != match.outcome.value:
        return False
    if match.outcome is Outcome.ANSWER:
        return match.candidates[0].id in question.ids
    return match.outcome is not Outcome.CLARIFY or any(c.id in question.ids for c in match.candidates)
