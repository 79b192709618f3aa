"""The answer of `statistics`: totals and groups over the visible disputes, one JSON object from one aggregation."""

from __future__ import annotations

import dataclasses
from typing import Any

from sqlalchemy import CTE, BigInteger, FromClause, Select, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from db.query import plan as p
from db.query.access_paths import AccessPaths
from db.query.fragment import Fragment, compile_fragment, slot
from db.query.place import Writer
from db.query.statement import JsonRow
from db.query.statistics.metrics import METRICS, metric_value
from db.query.statistics.period import OF_FIRST, OF_LAST
from db.query.statistics.rollups import MetricSums, group_label
from db.query.visibility import Visibility
from db.resources.aliases import shared_aliases
from db.resources.resource import Sql
from policies.predicate import implies


def statistics(writer: Writer, item: p.Statistics) -> str:
    """One JSON object: the totals and, if grouped, the groups in order of their keys."""
    slots: dict[str, str] = {}

    def key_slot(key: str) -> str:
        name = f"key_{len(slots)}"
        slots[name] = f'"{key}"'
        return slot(name)

    def own(key: str, one: str | p.Metrics) -> tuple[str, str | p.Metrics]:
        if isinstance(one, p.Metrics):
            one = p.Metrics(tuple((key_slot(below), name) for below, name in one.items))
        return key_slot(key), one

    # The response keys are not part of the fragment, nor is what the binds of the period are called.
    items = tuple(own(key, one) for key, one in item.items)
    nameless = dataclasses.replace(item, key="", bind="period", items=items)

    def compiled() -> Fragment:
        with shared_aliases():
            paths = AccessPaths(writer.visibility)
            return compile_fragment({"": StatisticsBuilder(writer.visibility, paths, nameless).json()})

    binds = {f"period_{name}": f"{item.bind}_{name}" for name in (*OF_FIRST, *OF_LAST)}
    return writer.text.take(writer.fragment(("statistics", nameless), compiled), slots, binds)[""]


class StatisticsBuilder:
    """Builds the answer of one `statistics` field: `sums` and `histogram` are computed once for its totals and groups."""

    def __init__(self, visibility: Visibility, paths: AccessPaths, item: p.Statistics) -> None:
        self.item, self.visibility = item, visibility
        self.exact = implies(visibility.access.grant("Dispute").rows, visibility.access.grant("Dispute", "count").rows)
        grouped = [one for _, one in item.items if isinstance(one, p.Metrics)] if item.group_by is not None else []
        selected = {one for _, one in item.items if isinstance(one, str)} & METRICS.keys()
        selected |= {name for metrics in grouped for _, name in metrics.items} & METRICS.keys()
        sums = {name for metric in selected for name in METRICS[metric].sums}
        measured = MetricSums(visibility, paths, item)
        self.sums = measured.sums(sums - {"median"}, grouped=bool(grouped)) if sums or grouped else None
        self.histogram = measured.histogram() if "median" in sums else None

    def json(self) -> Sql:
        """The answer as a JSON object, its members in the order of the selection."""
        selected = dict.fromkeys(one for _, one in self.item.items if isinstance(one, str) and one in METRICS)
        totals = self._totals(list(selected)) if selected else None
        members: list[tuple[str, Sql]] = []
        for key, one in self.item.items:
            if isinstance(one, p.Metrics):
                members.append((key, self._groups(one)))
            elif totals is not None and one in selected:
                members.append((key, totals.c[one]))
            else:
                members.append((key, literal_column("'Statistics'")))
        statement = select(JsonRow(members))
        return (statement.select_from(totals) if totals is not None else statement).scalar_subquery()

    def _totals(self, names: list[str]) -> FromClause:
        """One row with the metrics over all groups."""
        assert self.sums is not None
        sums = self.sums

        def total(name: str) -> Sql:
            if name == "median":
                assert self.histogram is not None
                days, number = self.histogram.c.days, self.histogram.c.number
                whole = select(days, func.sum(number).label("number")).group_by(days).subquery()
                return select(_median(whole, None).subquery().c.median).scalar_subquery()
            return cast(func.coalesce(func.sum(sums.c[name]), literal_column("0")), BigInteger)

        columns = [metric_value(name, total, self.exact).label(name) for name in names]
        # HAVING makes it one row, also of metrics that sum nothing.
        return select(*columns).select_from(sums).having(literal_column("true")).subquery()

    def _groups(self, metrics: p.Metrics) -> Sql:
        """The groups as a JSON list, in the order of their keys."""
        if self.item.group_by is None:
            return literal_column("'[]'::json")
        assert self.sums is not None
        sums: CTE = self.sums
        from_: FromClause = sums
        if self.histogram is not None:
            medians = _median(self.histogram, self.histogram.c.key).subquery()
            from_ = sums.outerjoin(medians, medians.c.key == sums.c.key)
        group_key, label, is_listed = group_label(self.visibility, self.item, sums.c.key, sums)

        def sum_of(name: str) -> Sql:
            return medians.c.median if name == "median" else sums.c[name]

        columns = {"typename": literal_column("'StatisticsGroup'"), "key": group_key, "label": label}
        row = JsonRow(
            [
                (key, columns[name] if name in columns else metric_value(name, sum_of, self.exact))
                for key, name in metrics.items
            ]
        )
        listed = func.json_agg(aggregate_order_by(row, sums.c.key))
        return (
            select(func.coalesce(listed, literal_column("'[]'::json")))
            .select_from(from_)
            # A dispute of no group is in none, and a group without a dispute in the period is not listed.
            .where(
                sums.c.key.is_not(None),
                sums.c.registered + sums.c.accepted + sums.c.finished > literal_column("0"),
                is_listed,
            )
            .scalar_subquery()
        )


def _median(histogram: FromClause, key: Sql | None) -> Select[Any]:
    """The median, of each key if there is one: the middle value, or half way between the two in the middle."""
    by = [] if key is None else [key]
    counted = select(
        *([] if key is None else [key.label("key")]),
        histogram.c.days,
        cast(func.sum(histogram.c.number).over(partition_by=by or None, order_by=histogram.c.days), BigInteger).label(
            "reached"
        ),
        cast(func.sum(histogram.c.number).over(partition_by=by or None), BigInteger).label("total"),
    ).subquery()
    lower = func.min(counted.c.days).filter(
        counted.c.reached > (counted.c.total - literal_column("1")) / literal_column("2")
    )
    upper = func.min(counted.c.days).filter(counted.c.reached > counted.c.total / literal_column("2"))
    middle = ((lower + upper) / literal_column("2.0")).label("median")
    return select(middle) if key is None else select(counted.c.key, middle).group_by(counted.c.key)
