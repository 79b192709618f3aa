"""The log of a process, configured once: our events and those of uvicorn and other libraries, by one handler on standard error.

Readable lines on a terminal, one JSON object a line everywhere else. Events of ours (`sanlian.*`) and of uvicorn obey SANLIAN_LOG_LEVEL;
other libraries speak from WARNING on.
"""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_OURS = ("sanlian", "uvicorn")


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is now, not to what it was when the log was configured."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        pass


def configure(level: str) -> None:
    """Configure the log of this process. `level`: debug, info, warning or error. May be called again."""
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(sys.stderr.isatty())],
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(), _without_color],
        )
    )
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if not isinstance(one, _StandardError)] + [handler]
    root.setLevel(max(number, logging.WARNING))
    for name in _OURS:
        logging.getLogger(name).setLevel(number)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def _rendering(terminal: bool) -> list[Processor]:
    if terminal:
        return [_exception_place, structlog.dev.ConsoleRenderer()]
    return [_exception_place, structlog.processors.JSONRenderer(serializer=_json)]


def frames_of(error: BaseException) -> list[str]:
    """The innermost frames of an exception, at most 12, as `file:line function`: without its message, without source text."""
    # SECURITY: drivers put bind values into their messages, so the log gets type and place only.
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]]


def _exception_place(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """The exception of an event, whoever logs it, as its type and frames."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        kind = type(error).__name__
        # SECURITY: asyncio repeats the exception in its own text ("Task exception was never retrieved").
        text = str(event.get("event", "")).replace(repr(error), kind)
        event["event"] = text.replace(str(error), kind) if str(error) else text
        event.setdefault("error", kind)
        event.setdefault("frames", frames_of(error))
    return event


def _json(event: EventDict, **_: Any) -> str:
    return orjson.dumps(event, default=str).decode()


def _without_color(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Uvicorn sends its messages a second time with escape sequences for a terminal."""
    event.pop("color_message", None)
    return event
