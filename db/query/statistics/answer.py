"""The answer of `statistics`: totals and groups over the visible disputes, one JSON object from one adding up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CTE, BigInteger, FromClause, Select, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.query import plan as p
from db.query.access_paths import AccessPaths
from db.query.statement import JsonRow
from db.query.statistics.metrics import FIGURES, told
from db.query.statistics.rollups import Tallies, name_of
from db.query.visibility import Visibility
from db.resources.resource import Sql
from policies.predicate import implies


def statistics(visibility: Visibility, paths: AccessPaths, item: p.Statistics) -> Sql:
    """One JSON object: the totals and, if grouped, the groups in order of their keys."""
    return Answer(visibility, paths, item).json()


class Answer:
    """Builds one answer."""

    def __init__(self, visibility: Visibility, paths: AccessPaths, item: p.Statistics) -> None:
        self.item = item
        self.exact = implies(visibility.access.grant("Dispute").rows, visibility.access.grant("Dispute", "count").rows)
        grouped = [what for _, what in item.items if isinstance(what, p.Figures)] if item.group_by is not None else []
        asked = {what for _, what in item.items if isinstance(what, str)} & FIGURES.keys()
        asked |= {name for figures in grouped for _, name in figures.items} & FIGURES.keys()
        sums = {name for figure in asked for name in FIGURES[figure].sums}
        tallies = Tallies(visibility, paths, item)
        self.sums = tallies.sums(sums - {"median"}, grouped=bool(grouped)) if sums or grouped else None
        self.spread = tallies.spread() if "median" in sums else None

    def json(self) -> Sql:
        asked = dict.fromkeys(what for _, what in self.item.items if isinstance(what, str) and what in FIGURES)
        totals = self._totals(list(asked)) if asked else None
        members: list[tuple[str, Sql]] = []
        for key, what in self.item.items:
            if isinstance(what, p.Figures):
                members.append((key, self._groups(what)))
            elif totals is not None and what in asked:
                members.append((key, totals.c[what]))
            else:
                members.append((key, literal_column("'Statistics'")))
        statement = select(JsonRow(members))
        return (statement.select_from(totals) if totals is not None else statement).scalar_subquery()

    def _totals(self, names: list[str]) -> FromClause:
        assert self.sums is not None
        summed = self.sums

        def total(name: str) -> Sql:
            if name == "median":
                assert self.spread is not None
                one = self.spread
                every = select(one.c.days, func.sum(one.c.number).label("number")).group_by(one.c.days).subquery()
                return select(_middle(every, None).subquery().c.median).scalar_subquery()
            return cast(func.coalesce(func.sum(summed.c[name]), literal_column("0")), BigInteger)

        columns = [told(name, total, self.exact).label(name) for name in names]
        # HAVING makes it one row, also of figures that add nothing up.
        return select(*columns).select_from(summed).having(literal_column("true")).subquery()

    def _groups(self, figures: p.Figures) -> Sql:
        if self.item.group_by is None:
            return literal_column("'[]'::json")
        assert self.sums is not None
        one: CTE = self.sums
        from_: FromClause = one
        if self.spread is not None:
            middles = _middle(self.spread, self.spread.c.key).subquery()
            from_ = one.outerjoin(middles, middles.c.key == one.c.key)
        told_key, label = name_of(self.item.group_by, one.c.key, one)

        def sum_of(name: str) -> Sql:
            return middles.c.median if name == "median" else one.c[name]

        columns = {"typename": literal_column("'StatisticsGroup'"), "key": told_key, "label": label}
        row = JsonRow(
            [(key, columns[name] if name in columns else told(name, sum_of, self.exact)) for key, name in figures.items]
        )
        listed = func.json_agg(aggregate_order_by(row, one.c.key))
        return (
            select(func.coalesce(listed, literal_column("'[]'::json")))
            .select_from(from_)
            # A dispute of no group is in none; and a group has something in the period.
            .where(one.c.key.is_not(None), one.c.registered + one.c.accepted + one.c.finished > literal_column("0"))
            .scalar_subquery()
        )


def _middle(spread: FromClause, key: Sql | None) -> Select[Any]:
    """The median, of each key if there is one: the middle value, or half way between the two in the middle."""
    by = [] if key is None else [key]
    counted = select(
        *([] if key is None else [key.label("key")]),
        spread.c.days,
        cast(func.sum(spread.c.number).over(partition_by=by or None, order_by=spread.c.days), BigInteger).label(
            "reached"
        ),
        cast(func.sum(spread.c.number).over(partition_by=by or None), BigInteger).label("total"),
    ).subquery()
    lower = func.min(counted.c.days).filter(
        counted.c.reached > (counted.c.total - literal_column("1")) / literal_column("2")
    )
    upper = func.min(counted.c.days).filter(counted.c.reached > counted.c.total / literal_column("2"))
    middle = ((lower + upper) / literal_column("2.0")).label("median")
    return select(middle) if key is None else select(counted.c.key, middle).group_by(counted.c.key)
