"""New keys: UUIDs of version 7 (RFC 9562), as the database makes them; made here, a row's key is known before the row is written."""

import secrets
import time
from uuid import UUID


class Keys:
    """Keys of one process, each later than the one before it."""

    def __init__(self) -> None:
        self._last = 0

    def new(self) -> UUID:
        """Milliseconds, then twelve bits of their fractions, then chance."""
        milliseconds, rest = divmod(time.time_ns(), 1_000_000)
        self._last = max(milliseconds << 12 | (rest << 12) // 1_000_000, self._last + 1)
        milliseconds, fraction = self._last >> 12, self._last & 0xFFF
        return UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | secrets.randbits(62))


uuid7 = Keys().new
