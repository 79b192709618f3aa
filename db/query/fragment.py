"""SQL that is built and compiled once and stands in many statements: all that does not depend on a selection.

A fragment is text with holes. A **slot** is the name of a FROM element of the statement around it, a **bind** that of a value; the names of
the fragment's own FROM elements are holes too. The statement fills them (`db.query.statement_text`) with names that nothing else in it has,
so that no name inside a fragment can hide one outside of it.
"""

from __future__ import annotations

import re
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

from sqlalchemy import ClauseElement, ColumnElement, FromClause, Table, select
from sqlalchemy.dialects.postgresql.asyncpg import PGCompiler_asyncpg
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.visitors import prefix_anon_map

from db.query.statement import DIALECT
from policies.policy import Policy

# The most that the fragments of a policy weigh. All that one shape of callers ever asks for is about a megabyte.
MAX_BYTES = 32 * 1024 * 1024

# Names in compiled text: of a bind, of a slot, and of a FROM element (with a number). No other SQL has control characters.
_HOLE = re.compile(r'%\((\w+)\)s|"\x01(\w+)(?: (\d+))?\x02"')
_CTE = re.compile(r'"\x01(\w+ \d+)\x02"')


def slot(name: str) -> str:
    """What a FROM element is called in an expression where the statement is to put a name of its own."""
    return f"\x01{name}\x02"


@cache
def slotted(table: Table, name: str) -> FromClause:
    """A table in a fragment whose name the statement gives. It is made once: SQLAlchemy copies every column into an alias."""
    return table.alias(slot(name))


class Hole(NamedTuple):
    """What is missing in a text. `kind`: "bind", "slot", "own" (a FROM element of the text, `number` tells those of one name apart) or
    "cte" (the CTE of that number)."""

    kind: str
    name: str
    number: int = 0


@dataclass(frozen=True)
class Template:
    """Text with holes: `text` before, between and after them; `order` tells which of the distinct `holes` is where."""

    text: tuple[str, ...]
    holes: tuple[Hole, ...]
    order: tuple[int, ...]

    def filled(self, fill: Callable[[Hole], str]) -> str:
        """The text with each hole filled: the same one alike wherever it is."""
        values = [fill(hole) for hole in self.holes]
        pieces = [""] * (2 * len(self.order) + 1)
        pieces[0::2] = self.text
        pieces[1::2] = [values[index] for index in self.order]
        return "".join(pieces)

    @cached_property
    def weight(self) -> int:
        """Its bytes in memory, about."""
        return sum(map(sys.getsizeof, self.text)) + 200 * len(self.holes) + 8 * len(self.order) + 500


@dataclass(frozen=True)
class Fragment:
    """Texts by name, and the CTEs that they read: each may read those before it."""

    parts: Mapping[str, Template]
    ctes: tuple[Template, ...] = ()

    @cached_property
    def weight(self) -> int:
        """Its bytes in memory, about."""
        return sum(one.weight for one in (*self.parts.values(), *self.ctes)) + 500


class _Names(prefix_anon_map):
    """Names for what has none: SQLAlchemy asks for `<identity> <name>`."""

    def __missing__(self, key: str, /) -> str:
        made = self[key] = slot(f"{key.split(' ', 1)[1]} {len(self)}")
        return made


class _Compiler(PGCompiler_asyncpg):
    """Compiles with names that can be found again, and keeps the text of each part."""

    def __init__(self, statement: ClauseElement) -> None:
        self.part_texts: dict[str, str] = {}
        self._names = _Names()
        super().__init__(DIALECT, statement)

    @property
    def anon_map(self) -> prefix_anon_map:
        return self._names

    @anon_map.setter
    def anon_map(self, _: Any) -> None:
        """SQLAlchemy's own names are not used."""


class _Part(ColumnElement[Any]):
    inherit_cache = False

    def __init__(self, name: str, element: ClauseElement) -> None:
        self.name, self.element = name, element


@compiles(_Part)
def _compile_part(part: _Part, compiler: _Compiler, **options: Any) -> str:
    options.pop("within_columns_clause", None)
    options.pop("add_to_result_map", None)
    text: str = compiler.process(part.element, **options)
    compiler.part_texts[part.name] = text
    return text


def compile_fragment(parts: Mapping[str, ClauseElement], *outer: FromClause) -> Fragment:
    """The parts as texts. `outer`: the FROM elements around them, named by `slot`, to which they may refer."""
    compiler = _Compiler(select(*(_Part(name, element) for name, element in parts.items())).select_from(*outer))
    ctes = list((compiler.ctes or {}).values())
    numbers: dict[str, int] = {}
    for number, text in enumerate(ctes):
        name = _CTE.match(text)
        assert name is not None
        numbers[name[1]] = number
    return Fragment(
        {name: _template(text, numbers) for name, text in compiler.part_texts.items()},
        # After the name: ` AS (SELECT ...)`.
        tuple(_template(text[text.index("\x02") + 2 :], numbers) for text in ctes),
    )


def _template(sql: str, ctes: Mapping[str, int]) -> Template:
    """The compiled text with its holes, its own names numbered from one in the order in which they come: so equal texts are equal."""
    holes: dict[Hole, int] = {}
    own: dict[str, Hole] = {}
    text: list[str] = []
    order: list[int] = []
    position = 0
    for match in _HOLE.finditer(sql):
        bind, name, number = match.groups()
        if bind:
            hole = Hole("bind", bind)
        elif not number:
            hole = Hole("slot", name)
        elif (cte := ctes.get(f"{name} {number}")) is not None:
            hole = Hole("cte", name, cte)
        else:
            hole = own.setdefault(f"{name} {number}", Hole("own", name, len(own)))
        text.append(sql[position : match.start()])
        order.append(holes.setdefault(hole, len(holes)))
        position = match.end()
    text.append(sql[position:])
    return Template(tuple(text), tuple(holes), tuple(order))


class FragmentCache:
    """Fragments for the callers of one policy, those least recently used out first, bounded by their bytes. Any thread may use it.

    SECURITY: a key must hold all that its fragment depends on; for what a policy decides that is the shape of the access.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._fragments: OrderedDict[Hashable, Fragment] = OrderedDict()
        self._lock = threading.Lock()
        self.weight = 0

    def get(self, key: Hashable, make: Callable[[], Fragment]) -> Fragment:
        """The fragment of the key, made now if it is not there."""
        with self._lock:
            fragment = self._fragments.get(key)
            if fragment is not None:
                self._fragments.move_to_end(key)
                return fragment
        fragment = make()
        with self._lock:
            if key not in self._fragments:
                self._fragments[key] = fragment
                self.weight += fragment.weight
            while self.weight > self._max_bytes:
                _, dropped = self._fragments.popitem(last=False)
                self.weight -= dropped.weight
        return fragment

    def __len__(self) -> int:
        return len(self._fragments)


def fragments_of(policy: Policy) -> FragmentCache:
    """The fragments of a policy. They go when another is in force."""
    cache = policy.caches.get("fragments")
    if cache is None:
        cache = policy.caches["fragments"] = FragmentCache(MAX_BYTES)
    assert isinstance(cache, FragmentCache)
    return cache
