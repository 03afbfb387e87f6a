"""Logging: one line an event on standard error, for people or as JSON, of ours and of the libraries."""

import logging
import sys

import structlog
from structlog.typing import EventDict
from temporalio.exceptions import ApplicationError

from surefoot.settings import Settings


def _in_one_line(logger: object, method: str, event: EventDict) -> EventDict:
    """A failure that was classified where it was raised needs no traceback: it is the world's, not the code's."""
    told = event.get("exc_info")
    error = told[1] if isinstance(told, tuple) else told
    if isinstance(error, ApplicationError):
        del event["exc_info"]
        event["error"] = str(error)
    return event


def configure(settings: Settings) -> None:
    """Send all logs through structlog, in the settings' format and from their level on."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _in_one_line,
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    for noisy in ("httpx2", "httpcore2", "google_genai", "urllib3", "apprise"):  # addresses may be secrets
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
