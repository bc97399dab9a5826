"""Structured logs to standard error. Ids and kinds only: a message's text is never logged."""

import logging
import sys

import structlog


def configure_logs(level: str) -> None:
    """One line a record, readable on a terminal, JSON elsewhere."""
    numeric = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    renderer = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.dict_tracebacks,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(
        level=max(numeric, logging.WARNING), format="%(levelname)s %(name)s %(message)s", stream=sys.stderr
    )
