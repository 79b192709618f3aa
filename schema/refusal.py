"""A refusal: the one exception that carries a stable code and a sentence for the user.

Raised by planner and execution; `api.http.errors` turns it into a response. It never carries a value from a row.
"""

from enum import StrEnum


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
