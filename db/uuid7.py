"""Primary keys made in the process: UUIDs of version 7 (RFC 9562, section 5.7), so that a row's key is known before it is written."""

import secrets
import time
from uuid import UUID


class Uuid7Generator:
    """Keys of one process, each greater than the one before it."""

    def __init__(self) -> None:
        self._last = 0

    def new(self) -> UUID:
        """48 bits of milliseconds since 1970, 12 bits of their fraction (RFC 9562, section 6.2, method 3), 62 random bits."""
        milliseconds, rest = divmod(time.time_ns(), 1_000_000)
        self._last = max(milliseconds << 12 | (rest << 12) // 1_000_000, self._last + 1)
        milliseconds, fraction = self._last >> 12, self._last & 0xFFF
        return UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | secrets.randbits(62))


uuid7 = Uuid7Generator().new
