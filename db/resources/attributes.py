"""Constructors of attributes: what a condition may say of a row, one SQL expression each, and those that several nouns share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Uuid, func, literal_column
from sqlalchemy.types import Boolean, Text, TypeEngine

from db.resources.resource import Attribute, Link, Row, Sql
from policies import catalog as policy


def column(name: str, label: str, kind: TypeEngine[Any] | None = None) -> Attribute:
    """A column of the row itself. `kind`: the type of a key; without one it is a text."""
    return Attribute(
        policy.Attribute(name, "key" if kind else "text", label),
        kind or Text(),
        lambda row: row.at.c[name],
        column=name,
    )


def dispute_column(name: str, label: str, kind: TypeEngine[Any] | None = None) -> Attribute:
    """A column of the dispute that the row belongs to, or that it is."""
    return Attribute(
        policy.Attribute(name, "key" if kind else "text", label),
        kind or Text(),
        lambda row: (row.at if row.dispute is None else row.dispute).c[name],
        column=name,
    )


def truth(name: str, label: str, value: Callable[[Row], Sql]) -> Attribute:
    """A statement about the row that is true or false."""
    return Attribute(policy.Attribute(name, "boolean", label), Boolean(), value)


def key_set(name: str, label: str, contains: Callable[[Row, Sql], Sql], link: Link | None = None) -> Attribute:
    """Several keys: the SQL that tells whether one is among them, and the link by which rows are found from one of them."""
    return Attribute(policy.Attribute(name, "set", label), Uuid(), contains=contains, link=link)


def _prefix(name: str, label: str, digits: int) -> Attribute:
    return Attribute(
        policy.Attribute(name, "text", label),
        Text(),
        lambda row: func.left(row["grid_code"], literal_column(str(digits))),
    )


_DIGITS = {"town_code": 9, "county_code": 6}
# The areas above the grid of a row that has the code of its grid alone.
AREAS_ABOVE = (
    _prefix("town_code", "所属镇街", _DIGITS["town_code"]),
    _prefix("county_code", "所属县区", _DIGITS["county_code"]),
)


def areas_of(grid_code: str) -> dict[str, str]:
    """The same of a row that is not there yet, with its grid."""
    return {"grid_code": grid_code, **{name: grid_code[:digits] for name, digits in _DIGITS.items()}}
