"""Grids, as commands ask about them: whether a code is that of one, and the team that works in it."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, literal_column, select
from sqlalchemy.types import Text

from db import tables as t
from db.desk import Desk
from db.resources.resource import Sql

_GRID = select(t.area.c.code).where(t.area.c.code == bindparam("grid", type_=Text()), t.area.c.level == "GRID")


def team_in(grid: Sql) -> Select[Any]:
    """The active team of a grid, as a statement: there is one at most."""
    return select(t.team.c.id).where(t.team.c.grid_code == grid, t.team.c.state == literal_column("'ACTIVE'"))


_TEAM = team_in(bindparam("grid", type_=Text()))


async def is_grid(desk: Desk, code: str) -> bool:
    """Whether the code is that of a grid."""
    return bool(await desk.fetch(_GRID, {"grid": code}))


async def team_of(desk: Desk, code: str) -> UUID | None:
    """The active team of a grid."""
    found = await desk.fetch(_TEAM, {"grid": code})
    return UUID(str(found[0]["id"])) if found else None
