"""Records the statements that a process sends to the database, with the session that sent each."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg

from db.postgres.session import Session


class Recording:
    """The statements of a while, in the order in which they ended."""

    def __init__(self) -> None:
        self._statements: list[tuple[Session, str]] = []
        self._loggers: list[tuple[Any, Any]] = []

    async def texts(self, **attributes: Any) -> list[str]:
        """The statements of the sessions with these attributes (`role="sanlian_reader"`)."""
        # asyncpg calls a query logger in the next turn of the event loop.
        await asyncio.sleep(0)
        return [
            text
            for session, text in self._statements
            if all(getattr(session, name) == value for name, value in attributes.items())
        ]

    async def clear(self) -> None:
        """Forget what was sent so far."""
        await asyncio.sleep(0)
        self._statements.clear()

    def observe(self, session: Session, connection: Any) -> None:
        """Add what this connection sends from now on."""

        def log(record: asyncpg.connection.LoggedQuery) -> None:
            # Once in a connection's life, asyncpg looks up the array types that it meets.
            if "typeinfo" not in record.query and "current_setting('jit')" not in record.query:
                self._statements.append((session, record.query))

        connection.add_query_logger(log)
        self._loggers.append((connection, log))

    def stop(self) -> None:
        """Observe no connection any more."""
        for connection, log in self._loggers:
            connection.remove_query_logger(log)
        self._loggers.clear()


class StatementRecorder:
    """Knows the connections of a process: give `attach` to `open_services` as `on_connect`. It costs nothing but within `recording`."""

    def __init__(self) -> None:
        self._connections: list[tuple[Session, Any]] = []
        self._recordings: list[Recording] = []

    def attach(self, session: Session, connection: Any) -> None:
        """Add a connection of this session."""
        self._connections.append((session, connection))
        for recording in self._recordings:
            recording.observe(session, connection)

    @contextmanager
    def recording(self) -> Iterator[Recording]:
        """What is sent within the block, by connections that are opened meanwhile too (but not how they are prepared)."""
        recording = Recording()
        for session, connection in self._connections:
            if not connection.is_closed():
                recording.observe(session, connection)
        self._recordings.append(recording)
        try:
            yield recording
        finally:
            self._recordings.remove(recording)
            recording.stop()
