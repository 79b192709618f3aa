"""Root fields that Python answers instead of the planned statement, as they are declared and as they are asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schema.planning.arguments import Source
from schema.planning.selection import Picks

if TYPE_CHECKING:
    pass

# So many questions may stand in one operation: each costs as much as a query.
MOST = 5


@dataclass(frozen=True)
class Asked:
    """A question as declared: the function that answers it, and what it costs, in rows."""

    answer: Callable[..., Awaitable[Any]]
    cost: int


# By the name of the root field.
ASKED: dict[str, Asked] = {}


@dataclass(frozen=True)
class Question:
    """A question in an operation. `arguments` by their Python names."""

    key: str
    name: str
    arguments: Mapping[str, Source]
    picks: Picks
