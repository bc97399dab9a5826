"""The models behind an awaitable: a thread each, a micro-batch of what is waiting, a limit and a timeout."""

import asyncio
import functools
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import structlog

from models.base import EmotionReader, FaqMatcher, Match, Outcome, Reading, SentenceEncoder, Utterance
from models.rules import RulesReader

MAX_BATCH = 16
MAX_WAITING = 512
REMEMBERED_VECTORS = 4096

R = TypeVar("R")
log = structlog.get_logger(__name__)
_rules = RulesReader()
NO_MATCH = Match(Outcome.UNKNOWN, 0.0)


@dataclass(frozen=True)
class Understanding:
    """What the models make of one customer message."""

    reading: Reading
    match: Match


class Inference:
    """Runs the reader and the shop's matcher off the event loop, side by side.

    When the models are too slow, too busy or fail, the rules read and nothing matches: the turn goes on,
    honestly, and the customer can still reach a person.
    """

    def __init__(self, reader: EmotionReader, encoder: SentenceEncoder | None, timeout: float) -> None:
        self._reader, self._encoder, self._timeout = reader, encoder, timeout
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="inference")
        self._waiting: list[tuple[_Job, asyncio.Future[Understanding]]] = []
        self._running = False
        self._vectors: OrderedDict[str, tuple[float, ...]] = OrderedDict()

    async def understand(self, utterance: Utterance, question: str, matcher: FaqMatcher) -> Understanding:
        """Read ``utterance`` and match ``question`` against a shop's entries."""
        if len(self._waiting) >= MAX_WAITING:
            log.warning("inference_overloaded", waiting=len(self._waiting))
            return fallback(utterance)
        future: asyncio.Future[Understanding] = asyncio.get_running_loop().create_future()
        self._waiting.append((_Job(utterance, question, matcher), future))
        if not self._running:
            self._running = True
            self._task = asyncio.create_task(self._drain())
        try:
            return await asyncio.wait_for(future, self._timeout)
        except TimeoutError:
            log.warning("inference_timeout", seconds=self._timeout)
            return fallback(utterance)

    async def read(self, utterances: Sequence[Utterance]) -> list[Reading]:
        """Read several messages, without matching."""
        readings = await self._attempt(lambda: self._reader.read(list(utterances)), len(utterances))
        return readings or _rules.read(utterances)

    async def match(self, text: str, matchers: Sequence[FaqMatcher]) -> list[Match]:
        """What each matcher finds for a text; NO_MATCH of each when they fail."""
        return await self._attempt(lambda: [m.match([text])[0] for m in matchers], len(matchers)) or [
            NO_MATCH for _ in matchers
        ]

    async def vectors(self, texts: Sequence[str]) -> list[tuple[float, ...]]:
        """Sentence vectors, remembered; empty tuples when there is no encoder or it fails."""
        known = {text: self._vectors[text] for text in texts if text in self._vectors}
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        encoder = self._encoder
        if encoder is not None and missing:
            rows = await self._attempt(lambda: list(encoder.encode(missing)), len(missing))
            known |= {text: tuple(float(v) for v in row) for text, row in zip(missing, rows or (), strict=False)}
        for text, vector in known.items():
            self.remember(text, vector)
        return [known.get(text, ()) for text in texts]

    def remember(self, text: str, vector: tuple[float, ...]) -> None:
        """Keep a vector that was computed anyway."""
        self._vectors[text] = vector
        self._vectors.move_to_end(text)
        while len(self._vectors) > REMEMBERED_VECTORS:
            self._vectors.popitem(last=False)

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _attempt(self, work: Callable[[], list[R]], expected: int) -> list[R] | None:
        """What ``work`` gives in the thread; None, and a line in the log, when it fails, stalls or falls short."""
        try:
            results = await asyncio.wait_for(self._in_thread(work), self._timeout)
        except TimeoutError:
            log.warning("inference_timeout", seconds=self._timeout)
            return None
        except Exception as error:  # a model may fail in any way; the desk goes on
            log.error("inference_failed", error=type(error).__name__)
            return None
        if len(results) != expected:
            log.error("inference_failed", error="WrongNumberOfResults")
            return None
        return results

    async def _in_thread(self, work: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            jobs = [job for job, _ in batch]
            readings, matches = await asyncio.gather(
                self._attempt(functools.partial(self._reader.read, [job.utterance for job in jobs]), len(jobs)),
                self._attempt(functools.partial(_match, jobs), len(jobs)),
            )
            if readings is None:
                readings = _rules.read([job.utterance for job in jobs])
            for (_, future), reading, match in zip(batch, readings, matches or [NO_MATCH] * len(jobs), strict=True):
                if not future.done():
                    future.set_result(Understanding(reading, match))
        self._running = False


@dataclass(frozen=True)
class _Job:
    utterance: Utterance
    question: str
    matcher: FaqMatcher


def _match(jobs: Sequence[_Job]) -> list[Match]:
    """One match for each job; those of one shop go through its matcher together."""
    matches: dict[int, Match] = {}
    for matcher in {id(job.matcher): job.matcher for job in jobs}.values():
        mine = [i for i, job in enumerate(jobs) if job.matcher is matcher]
        matches.update(zip(mine, matcher.match([jobs[i].question for i in mine]), strict=True))
    return [matches[i] for i in range(len(jobs))]


def fallback(utterance: Utterance) -> Understanding:
    """What is said of a message when the models cannot."""
    return Understanding(_rules.read([utterance])[0], NO_MATCH)
