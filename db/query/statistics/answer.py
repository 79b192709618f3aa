"""The answer of `statistics`: totals and groups over the visible disputes, one JSON object from one aggregation."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import BigInteger, FromClause, Select, TableClause, cast, column, func, literal_column, select, table
from sqlalchemy.types import Text

from db import tables as t
from db.query import plan as p
from db.query.access_paths import AccessPaths
from db.query.fragment import Fragment, compile_fragment, slot
from db.query.place import Writer
from db.query.statement_text import columns, json_row, or_empty, where
from db.query.statistics.metrics import METRICS, metric_value
from db.query.statistics.optional import optional, with_columns
from db.query.statistics.period import OF_FIRST, OF_LAST
from db.query.statistics.rollups import BRANCHED, COUNTED, MetricSums, day_of, group_label
from db.resources.aliases import shared_aliases
from db.resources.resource import Sql
from policies.predicate import implies

_SUMS = frozenset(name for metric in METRICS.values() for name in metric.sums if name != "median")


def statistics(writer: Writer, item: p.Statistics) -> str:
    """One JSON object: the totals and, if grouped, the groups in order of their keys."""
    return StatisticsWriter(writer, item).json()


class StatisticsWriter:
    """Writes the answer of one `statistics` field: `sums` and `histogram` are computed once for its totals and groups."""

    def __init__(self, writer: Writer, item: p.Statistics) -> None:
        self._writer, self._text, self._item = writer, writer.text, item
        grant = writer.visibility.access.grant
        self._exact = implies(grant("Dispute").rows, grant("Dispute", "count").rows)
        self._binds = {f"period_{name}": f"{item.bind}_{name}" for name in (*OF_FIRST, *OF_LAST)}
        grouped = [one for _, one in item.items if isinstance(one, p.Metrics)] if item.group_by is not None else []
        selected = {one for _, one in item.items if isinstance(one, str)} & METRICS.keys()
        selected |= {name for metrics in grouped for _, name in metrics.items} & METRICS.keys()
        sums = {name for metric in selected for name in METRICS[metric].sums}
        self._slots: dict[str, str] = {}
        if sums or grouped:
            self._slots["sums"] = self._sums(sums - {"median"} | (COUNTED if grouped else set()))
        if "median" in sums:
            self._slots["histogram"] = self._cte("histogram", lambda measured: measured.histogram(), ("days", "number"))

    def json(self) -> str:
        """The answer as a JSON object, its members in the order of the selection."""
        selected = dict.fromkeys(one for _, one in self._item.items if isinstance(one, str) and one in METRICS)
        totals = self._text.name("totals")
        members: list[tuple[str, str]] = []
        for key, one in self._item.items:
            if isinstance(one, p.Metrics):
                members.append((key, self._groups(one)))
            else:
                members.append((key, f"{totals}.{one}" if one in selected else "'Statistics'"))
        source = f" FROM ({self._totals(list(selected))}) AS {totals}" if selected else ""
        return f"(SELECT {json_row(members)}{source})"

    # -- the sums of each group, computed once

    def _sums(self, names: set[str]) -> str:
        """The sums of the names. What is compiled has all those that are read from the same rows."""
        alike = _alike(names)
        return self._cte(("sums", alike), lambda measured: measured.sums(alike), names)

    def _cte(self, key: Any, make: Callable[[MetricSums], Select[Any]], names: Collection[str]) -> str:
        item = dataclasses.replace(self._item, key="", bind="period", items=(), labels=())

        def compiled() -> Fragment:
            with shared_aliases():
                visibility = self._writer.visibility
                return compile_fragment({"": make(MetricSums(visibility, AccessPaths(visibility), item, optional))})

        fragment = self._writer.fragment(("statistics", key, item), compiled)
        sql = self._text.take(fragment, {}, self._binds)[""]
        return self._text.cte(with_columns(sql, names))

    # -- what is shown of them

    def _written(self, key: Any, make: Callable[[], Sql | Select[Any]], outer: Sequence[TableClause]) -> str:
        """An expression over the sums."""

        def compiled() -> Fragment:
            with shared_aliases():
                return compile_fragment({"": make()}, *outer)

        return self._text.take(self._writer.fragment(("statistics", key), compiled), self._slots)[""]

    def _metric(self, name: str, sums: Callable[[str], Sql], place: str, outer: Sequence[TableClause]) -> str:
        return self._written((place, name), lambda: metric_value(name, sums, self._exact), outer)

    def _totals(self, names: list[str]) -> str:
        """One row with the metrics over all groups."""

        def total(name: str) -> Sql:
            if name == "median":
                days, number = _HISTOGRAM.c.days, _HISTOGRAM.c.number
                whole = select(days, func.sum(number).label("number")).group_by(days).subquery()
                return select(_median(whole, None).subquery().c.median).scalar_subquery()
            return cast(func.coalesce(func.sum(_OF_GROUP.c[name]), literal_column("0")), BigInteger)

        shown = columns([(name, self._metric(name, total, "total", [_OF_GROUP])) for name in names])
        # HAVING makes it one row, also of metrics that sum nothing.
        return f"SELECT {shown} FROM {self._slots['sums']} HAVING true"  # noqa: S608  made of compiled expressions

    def _groups(self, metrics: p.Metrics) -> str:
        """The groups as a JSON list, in the order of their keys."""
        if self._item.group_by is None:
            return "'[]'::json"
        sums = source = self._slots["sums"]
        if "histogram" in self._slots:
            medians = self._slots["medians"] = self._text.name("medians")
            of_groups = self._written("medians", lambda: _median(_HISTOGRAM, _HISTOGRAM.c.key), [])
            source = f"{sums} LEFT OUTER JOIN ({of_groups}) AS {medians} ON {medians}.key = {sums}.key"

        def sum_of(name: str) -> Sql:
            return _MEDIANS.c.median if name == "median" else _OF_GROUP.c[name]

        def member(name: str) -> str:
            match name:
                case "typename":
                    return "'StatisticsGroup'"
                case "key":
                    return self._group(0)
                case "label":
                    return self._group(1)
            return self._metric(name, sum_of, "group", [_OF_GROUP, _MEDIANS])

        group = json_row([(key, member(name)) for key, name in metrics.items])
        listed = or_empty(f"json_agg({group} ORDER BY {sums}.key)")
        # A dispute of no group is in none, and a group without a dispute in the period is not listed.
        some = f"{sums}.registered + {sums}.accepted + {sums}.finished > 0"
        return f"(SELECT {listed} FROM {source}{where(f'{sums}.key IS NOT NULL', some, self._group(2))})"  # noqa: S608

    def _group(self, index: int) -> str:
        """Of a group its key, its label, or whether it is listed (`group_label`)."""

        def make() -> Sql:
            return group_label(self._writer.visibility, self._item, _OF_GROUP.c.key, _OF_GROUP)[index]

        return self._written(("group", index, self._item.group_by, self._item.labels), make, [_OF_GROUP])


def _alike(names: Collection[str]) -> frozenset[str]:
    """The sums that are read from the same rows as these, so that one text serves for all of them."""
    days = {day_of(name) for name in names if name != "rebounded"}
    branches = {BRANCHED.get(name) for name in names} | {None}
    return frozenset(
        name
        for name in _SUMS | COUNTED
        if BRANCHED.get(name) in branches and (name == "rebounded" or day_of(name) in days)
    )


_OF_GROUP = table(slot("sums"), column("key", Text()), *(column(one, BigInteger()) for one in sorted(_SUMS | COUNTED)))
_HISTOGRAM = table(
    slot("histogram"), column("key", Text()), column("days", t.tally.c.days.type), column("number", BigInteger())
)
_MEDIANS = table(slot("medians"), column("key", Text()), column("median"))


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
