"""A refusal: the one exception that carries a stable code and a sentence for the user.

Raised by planner and execution; `api.http.errors` turns it into a response. It never carries a value from a row.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any


class Code(StrEnum):
    """Stable error codes that clients rely on; names never change meaning."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    NOT_FOUND = "NOT_FOUND"
    FORBIDDEN = "FORBIDDEN"
    CONFLICT = "CONFLICT"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    FIELD_NOT_READABLE = "FIELD_NOT_READABLE"
    TOO_COSTLY = "TOO_COSTLY"
    INTERNAL = "INTERNAL"


class Refusal(Exception):
    """The request is refused: `code` for programs, `message` (Chinese, says what to do) for people, `path` in the operation."""

    def __init__(self, code: Code, message: str, path: tuple[str | int, ...] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.path = path

    @property
    def extensions(self) -> dict[str, Any]:
        """What programs read of it."""
        return {"code": str(self.code)}

    def formatted(self, path: Sequence[str | int] | None = None) -> dict[str, Any]:
        """The GraphQL error of the refusal, at `path` or at the refusal's own."""
        error: dict[str, Any] = {"message": self.message}
        if place := path or self.path:
            error["path"] = list(place)
        return {**error, "extensions": self.extensions}


class TooCostly(Refusal):
    """Refused because `cost`, what the request would take at least, is above or at the `limit`; both in the unit that the message names."""

    def __init__(self, message: str, cost: int, limit: int, path: tuple[str | int, ...] | None = None) -> None:
        super().__init__(Code.TOO_COSTLY, message, path)
        self.cost, self.limit = cost, limit

    @property
    def extensions(self) -> dict[str, Any]:
        """The code with both numbers."""
        return {**super().extensions, "cost": self.cost, "limit": self.limit}
