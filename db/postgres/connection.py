"""The type of an asyncpg connection, opened directly or lent by asyncpg's pool."""

from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

# As text: these classes take no type arguments at run time.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
