"""The last step to SQL text: one JSON row from expressions, and a statement compiled once for asyncpg."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sqlalchemy import ClauseElement, ColumnElement, Select, func, literal_column, select
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.types import JSON

_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_PARAMETER = re.compile(r"\$(\d+)")
DIALECT: Any = asyncpg_dialect()  # type: ignore[no-untyped-call]


class PlanMode(Enum):
    """Which plan PostgreSQL runs a statement with (its `plan_cache_mode`)."""

    # One plan is good for all values: made once for a connection, without looking at them (a generic plan).
    GENERIC = "generic"
    # The values decide on the best plan: it is made anew for each execution (a custom plan).
    CUSTOM = "custom"
    # Only lists of codes decide: each set of codes that is often asked for has a statement of its own with a generic plan; the others have
    # custom plans.
    PER_CODES = "per codes"


@dataclass(frozen=True)
class Planning:
    """How a statement is planned. `plan_sensitive`: for PER_CODES the binds whose values decide, each a list of codes; sorted."""

    mode: PlanMode
    plan_sensitive: tuple[str, ...] = ()

    def joined(self, other: Planning) -> Planning:
        """The planning of a statement whose parts need this one and the other."""
        if PlanMode.CUSTOM in (self.mode, other.mode):
            return CUSTOM
        return per_codes({*self.plan_sensitive, *other.plan_sensitive})


GENERIC, CUSTOM = Planning(PlanMode.GENERIC), Planning(PlanMode.CUSTOM)


def per_codes(binds: Iterable[str]) -> Planning:
    """The planning of a statement in which the values of these binds decide; with none of them, one plan is good for all values."""
    names = tuple(sorted(binds))
    return Planning(PlanMode.PER_CODES, names) if names else GENERIC


@dataclass(frozen=True)
class Statement:
    """SQL text with numbered parameters; `binds` names the value of each, in order. `constants`: values that the statement brings itself
    (those of an insert or update); a read has none. `planning`: which plan it runs with (`db.query.reader`)."""

    sql: str
    binds: tuple[str, ...]
    constants: Mapping[str, Any] = field(default_factory=dict)
    planning: Planning = CUSTOM

    def with_codes(self, codes: Mapping[str, Sequence[str]]) -> Statement | None:
        """The same statement with the values of its plan-sensitive binds in its text, so that one plan is good for it. None if a value is
        no code."""
        # SECURITY: only what can be nothing but a code is put into the text. The schema lets no other value through.
        if not all(_CODE.fullmatch(one) for values in codes.values() for one in values):
            return None
        binds = tuple(name for name in self.binds if name not in codes)

        def replaced(match: re.Match[str]) -> str:
            name = self.binds[int(match[1]) - 1]
            return "'{" + ",".join(codes[name]) + "}'" if name in codes else f"${binds.index(name) + 1}"

        return Statement(_PARAMETER.sub(replaced, self.sql), binds, self.constants, GENERIC)


# What a JSON object is made of. It is no GraphQL name: a key that equals it would be taken for the row (a column goes before a table).
OBJECT = "-"


def row_to_json(name: str = OBJECT) -> ColumnElement[Any]:
    """The JSON object of a row of the FROM element with that name."""
    return func.row_to_json(literal_column(f'"{name}"'))


def json_object(rows: Select[Any]) -> Select[Any]:
    """Each row as a JSON object, its columns under their labels. Made where the row is read: measured twice as fast as a scalar
    sub-select around its values, and faster than json_build_object.

    Keys are GraphQL names of at most 63 characters (`api.http.limits`), so PostgreSQL does not cut them; they contain no quotes.
    """
    return select(row_to_json()).select_from(rows.subquery(OBJECT))


def json_list(rows: Select[Any]) -> Select[Any]:
    """The rows as one JSON list of objects, in their order; `[]` for none."""
    return select(or_empty(func.json_agg(row_to_json()))).select_from(rows.subquery(OBJECT))


def or_empty(listed: ColumnElement[Any]) -> ColumnElement[Any]:
    """An aggregated JSON list, `[]` where there was no row."""
    return func.coalesce(listed, literal_column("'[]'::json"))


class JsonRow(ColumnElement[Any]):
    """`(SELECT row_to_json("-") FROM (SELECT a AS "x", ...) "-")`: one JSON object from named expressions of the enclosing row."""

    inherit_cache = False
    type = JSON()

    def __init__(self, members: Sequence[tuple[str, ColumnElement[Any]]]) -> None:
        self.members = tuple(members)


@compiles(JsonRow)
def _compile_json_row(element: JsonRow, compiler: Any, **options: Any) -> str:
    options.pop("within_columns_clause", None)
    options.pop("add_to_result_map", None)
    columns = ", ".join(f'{compiler.process(value, **options)} AS "{key}"' for key, value in element.members)
    return f'(SELECT row_to_json("{OBJECT}") FROM (SELECT {columns}) "{OBJECT}")'  # noqa: S608  made of compiled expressions


def text_array(values: Sequence[str]) -> ColumnElement[Any]:
    """A constant array of the service's own names (GraphQL names, never user input)."""
    return literal_column("'{" + ",".join(values) + "}'::text[]")


def compile_statement(statement: ClauseElement) -> Statement:
    """The SQL text and binds of a statement for asyncpg. A read without a planning of its own has custom plans."""
    compiled = statement.compile(dialect=DIALECT)
    binds = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]
    own = {name: compiled.binds[name].value for name in binds if not compiled.binds[name].required}  # type: ignore[attr-defined]
    return Statement(str(compiled), binds, own)
