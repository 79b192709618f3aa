"""Ways into the visible rows: one ordered index walk for each scope of a union, merged.

`a OR b ... ORDER BY ... LIMIT` makes PostgreSQL choose between the index of the order and those of the scopes, and either is wrong
for somebody. Here each alternative of a predicate is read by itself, where an index has its scope first and the page order behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import CTE, FromClause, Select, bindparam, false, func, literal_column, select, true, union, union_all
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.types import Text

from db.query import plan as p
from db.query.filters import condition
from db.query.keyset import Keys, direction, keys_of, within_cursors
from db.query.order_paths import MOST, pieces, scan
from db.query.statement import text_array
from db.query.visibility import Visibility
from db.resources.catalog import RESOURCES
from db.resources.resource import Resource, Row, Sql
from db.tables.dispute import STATES
from policies.predicate import Always, ClaimRef, Eq, Has, In, Predicate, all_of, conjuncts, disjuncts


@dataclass(frozen=True)
class Limit:
    """What a page or a count asks of a way in. `cut` adds the conditions to a select of rows (but those that are met already), the
    order and the limit; `start`, where there is an order, only that and the cursors, for `wanted` rows. `own`: whether the order, if there
    is one, is that of the resource."""

    cut: Callable[[Select[Any], Row, Keys, Sequence[p.Condition]], Select[Any]]
    start: Callable[[Select[Any], Keys], Select[Any]] | None = None
    wanted: Sql | None = None
    own: bool = True


Branch = Callable[[Limit], Select[Any]]


class Narrow(Protocol):
    """The conditions beside visibility: the relation and the filter, without those that are met already."""

    def __call__(self, row: Row, met: Sequence[p.Condition] = (), /) -> list[Sql]: ...


# How far a count goes unless it is asked to be exact.
COUNTED = 10_000
# How many rows are looked through in page order for a text before the index of the texts is asked.
_LOOKED_THROUGH = 2_000

_INDEXED = frozenset(
    {
        "county_code",
        "grid_code",
        "community_code",
        "town_code",
        "team_id",
        "squad_id",
        "centre_id",
        "source_organization_id",
    }
)
# Scopes that grow with the county, and the filters whose values have each an index walk of their own within them. A filter that
# is not given stands for all its values where they are few (`_ALL`).
_SCOPED_INDEXES: dict[str, tuple[tuple[str, ...], ...]] = {
    "county_code": (("sub_category", "state"), ("state",), ("source",), ("tier",), ("risk_level",)),
    "town_code": (("sub_category", "state"), ("state",)),
    "squad_id": (("sub_category", "state"), ("state",)),
    "centre_id": (("sub_category", "state"), ("state",)),
}
# Values of parts that have an index before the page order, whatever the scope: it leads to the rare ones.
_PART_INDEXES = {
    "Obligation": ("state", "kind"),
    "Agreement": ("state", "scope", "form"),
    "FollowUp": ("result", "method"),
}
_INDEXED_FILTERS = frozenset(
    column for indexes in _SCOPED_INDEXES.values() for columns in indexes for column in columns
)
_ALL = {"state": text_array(STATES)}


@dataclass(frozen=True)
class ScopedIndex:
    """The columns of an index behind a scope, and the conditions that give their values; None: any value."""

    columns: tuple[str, ...]
    conditions: tuple[p.Condition | None, ...]

    @property
    def met(self) -> tuple[p.Condition, ...]:
        return tuple(one for one in self.conditions if one is not None)

    def values(self) -> dict[str, Sql]:
        """By column the values to walk."""
        return {
            column: _ALL[column] if one is None else bindparam(one.bind, type_=ARRAY(Text))
            for column, one in zip(self.columns, self.conditions, strict=True)
        }


class AccessPaths:
    """The ways of one sight in one statement. `tallies`: those of the rows of a predicate, for whoever adds them up."""

    def __init__(self, visibility: Visibility) -> None:
        self.visibility = visibility
        self.tallies: dict[Predicate, CTE] = {}

    def page_rows(
        self,
        page: p.Page,
        resource: Resource,
        narrowed: Narrow,
        outer: Sequence[FromClause],
        same: FromClause | None,
        keys: tuple[p.Order, ...],
        wanted: Sql,
        materialized: list[Branch] | None = None,
    ) -> FromClause:
        """The page's rows as a FROM element that ends with LIMIT, so that no node is built for a row that is not shown."""
        rows = self.visibility.access.grant(resource.name).rows
        names = [key.field for key in keys[:-1]]

        def ordered(column: Keys) -> list[Sql]:
            return [direction(column(key.field), key, page.slice.backward) for key in keys]

        def start(statement: Select[Any], scanned: Keys) -> Select[Any]:
            return statement.where(*within_cursors(resource, scanned, page, keys)).order_by(*ordered(scanned))

        def first(statement: Select[Any], row: Row, scanned: Keys, met: Sequence[p.Condition]) -> FromClause:
            return start(statement.where(*narrowed(row, met)), scanned).limit(MOST).subquery()

        def limited(statement: Select[Any], row: Row, scanned: Keys, met: Sequence[p.Condition]) -> Select[Any]:
            most = first(statement.add_columns(*(scanned(name).label(name) for name in names)), row, scanned, met)
            return select(most).order_by(*ordered(most.c.__getitem__)).limit(wanted)

        def sorted_out(
            statement: Select[Any], row: Row, scanned: Keys, met: Sequence[p.Condition], *only: Sql, whole: bool = False
        ) -> Select[Any]:
            # OFFSET 0: all rows of the way in are found first; the index of the order must not lead to them.
            added = (
                [one for one in row.at.c if one.key != "id"] if whole else [scanned(name).label(name) for name in names]
            )
            hits = statement.add_columns(*added).where(*narrowed(row, met), *only)
            every = hits.offset(literal_column("0")).subquery()
            most = start(select(every), every.c.__getitem__).limit(MOST).subquery()
            shown = select(most) if whole else select(most.c.id)
            return shown.order_by(*ordered(most.c.__getitem__)).limit(wanted)

        own = _is_own(page, resource)
        branches = materialized or (self.branches(resource, rows, page.conditions) if not outer else None)
        found: FromClause
        if branches is not None and own:
            # One ordered walk for each way in, merged: no plan has to choose between an index on the order and one on the scope.
            # The merged walks bring the keys of the order with them: a row is fetched only if it is shown.
            merged = _union([branch(Limit(limited, start, wanted)) for branch in branches]).subquery()
            found = select(merged.c.id).order_by(*ordered(merged.c.__getitem__)).limit(wanted).subquery()
        elif not outer and not own and self._narrow(resource):
            every_way = branches or [self._direct(resource, rows)]
            if len(every_way) == 1 and materialized is None:
                # Nothing is merged: the rows that are sorted are those that are shown.
                return every_way[0](Limit(lambda *cut: sorted_out(*cut, whole=True), own=False)).subquery()
            found = _union([branch(Limit(sorted_out, own=False)) for branch in every_way]).subquery()
        elif not outer and not own and (order := pieces(resource, page, keys)) is not None:
            scans, cut_short = scan(
                lambda at: self.visibility.row(resource, at),
                lambda row: [self.visibility.where(rows, row), *narrowed(row)],
                resource,
                order,
                page.slice.backward,
                wanted,
            )
            far = [
                branch(Limit(lambda *cut: sorted_out(*cut, cut_short), own=False))
                for branch in branches or [self._direct(resource, rows)]
            ]
            found = union_all(*scans, select(_union(far).subquery().c.id)).subquery()
        else:
            row, joined = self.visibility.row(resource, resource.table.alias(), same)
            statement = select(row.at).select_from(joined).where(self.visibility.where(rows, row)).correlate(*outer)
            most = first(statement, row, row.__getitem__, ())
            return select(most).order_by(*ordered(most.c.__getitem__)).limit(wanted).subquery()
        at = resource.table.alias()
        shown = select(at).select_from(found.join(at, at.c.id == found.c.id))
        if not own:
            # OFFSET 0: the ids lead to these rows.
            fenced = shown.offset(literal_column("0")).subquery()
            return select(fenced).order_by(*ordered(fenced.c.__getitem__)).limit(wanted).subquery()
        return shown.order_by(*ordered(at.c.__getitem__)).limit(wanted).subquery()

    def count(
        self,
        page: p.Page,
        resource: Resource,
        narrowed: Narrow,
        outer: Sequence[FromClause],
        same: FromClause | None,
        *,
        exact: bool,
        materialized: list[Branch] | None = None,
    ) -> FromClause:
        """How many rows the list has, as a FROM element of one row: `total`, and whether that is `capped` at COUNTED."""
        rows = self.visibility.access.grant(resource.name).rows
        branches = materialized or (self.branches(resource, rows, page.conditions) if page.relation is None else None)

        def bounded(statement: Select[Any], row: Row, _: Keys, met: Sequence[p.Condition]) -> Select[Any]:
            statement = statement.where(*narrowed(row, met))
            return statement if exact else statement.limit(literal_column(str(COUNTED + 1)))

        found: Any
        if branches is None:
            row, at = self.visibility.row(resource, resource.table.alias(), same)
            statement = select(row["id"]).select_from(at).where(self.visibility.where(rows, row))
            found = bounded(statement, row, row.__getitem__, ()).correlate(*outer)
        else:
            # If no way in alone goes beyond the bound, each is whole, and so is their union.
            found = _union([branch(Limit(bounded)) for branch in branches])
        total: Sql = func.count()
        most: Sql = literal_column(str(COUNTED))
        columns = (
            (total.label("total"), false().label("capped"))
            if exact
            else (func.least(total, most).label("total"), (total > most).label("capped"))
        )
        return select(*columns).select_from(found.subquery()).subquery()

    def materialized(
        self, page: p.Page, resource: Resource, narrowed: Narrow, keys: tuple[p.Order, ...], *, exact: bool
    ) -> list[Branch] | None:
        """The ways into the list of a caller who sees few rows, each read once for count and page, as far as a count goes. None where
        either is found sooner by itself."""
        if page.relation is not None or not self._narrow(resource):
            return None
        whole = exact or resource.part or not _is_own(page, resource)
        if not whole and (page.slice.after or page.slice.before):
            # The page may lie beyond the count.
            return None

        def in_order(column: Keys) -> list[Sql]:
            return [] if whole else [direction(column(key.field), key, page.slice.backward) for key in keys]

        def every(statement: Select[Any], row: Row, scanned: Keys, met: Sequence[p.Condition]) -> Select[Any]:
            named = (scanned(key.field).label(key.field) for key in keys[:-1])
            hits = statement.add_columns(*named).where(*narrowed(row, met)).order_by(*in_order(scanned))
            return hits if whole else hits.limit(literal_column(str(COUNTED + 1)))

        def again(branch: Branch) -> Branch:
            found = branch(Limit(every, own=not whole))
            # The order once more, though nothing is left to sort: so PostgreSQL knows it of the rows that are kept.
            rows = found.order_by(*in_order(found.selected_columns.__getitem__)).cte()
            row = Row(resource, rows)
            return lambda limit: select(limit.cut(select(rows.c.id), row, row.__getitem__, page.conditions).subquery())

        rows = self.visibility.access.grant(resource.name).rows
        branches = self.branches(resource, rows, page.conditions)
        paths = (
            [(rows, self._direct(resource, rows))] if branches is None else zip(disjuncts(rows), branches, strict=True)
        )
        # A way by a list of scopes is one walk for each: its rows would have to be sorted for the page.
        return [
            branch if not whole and any(isinstance(one, In) for one in conjuncts(part)) else again(branch)
            for part, branch in paths
        ]

    def ids(self, resource: Resource, rows: Predicate) -> Select[Any]:
        """The ids of the rows of a predicate, by whatever way in is best. For statistics."""
        branches = self.branches(resource, rows)
        if branches is None:
            row, at = self.visibility.row(resource, resource.table.alias())
            return select(row["id"].label("id")).select_from(at).where(self.visibility.where(rows, row))
        every = Limit(lambda statement, row, _, __: statement)
        return _union([branch(every) for branch in branches])  # type: ignore[no-any-return]

    def unbounded(self, resource: Resource) -> bool:
        """Whether the caller may see most of the rows: no way into them starts at one of a few scopes."""
        parts = disjuncts(self.visibility.access.grant(resource.name).rows)
        return not all(
            any(
                self._drives(resource, one) and getattr(one, "attribute", "") != "county_code"
                for one in conjuncts(part)
            )
            for part in parts
        )

    def plan_sensitive(self, page: p.Page) -> frozenset[str] | None:
        """The binds whose values decide on the best plan of the list: lists of codes, each of which leads to many rows or to few. None if
        other values decide too."""
        resource = RESOURCES[page.resource]
        if not _is_own(page, resource):
            one_plan = page.relation is None and (
                self._narrow(resource) or pieces(resource, page, keys_of(page)) is not None
            )
            return frozenset() if one_plan else None
        growing = self._growing(resource)
        if growing and all(one is not None and self._search(resource, one, page.conditions) for one in growing):
            return frozenset() if page.relation is None else None

        indexes = [None if one is None else self._scoped_index(resource, one, page.conditions) for one in growing]

        def is_met(one: p.Condition) -> bool:
            """Whether a plan for any codes would lead there the same way: by an index in page order, or through rows that have none."""
            if resource.part:
                return not growing or one.fields[0] not in _PART_INDEXES.get(resource.name, ())
            if one.fields[0] not in _INDEXED_FILTERS:
                return True
            # Of two lanes, that of the rarer values is the better; a sub-category is seldom more than a twentieth.
            return page.relation is None and all(
                index is not None and (one in index.met or index.columns[0] == "sub_category") for index in indexes
            )

        for one in page.conditions:
            match one.operator:
                case "eq" | "is" | "area" | "mediator" | "flag" | "present" | "in":
                    pass
                case "from" | "to" | "from_day" | "to_day" | "before_day" if one.fields[0] == page.order[0].field:
                    pass
                case _:
                    return None
        codes = [one for one in page.conditions if one.operator == "in"]
        # Where one of them decides, how rare its value is beside the others does.
        return frozenset() if all(map(is_met, codes)) else frozenset(one.bind for one in codes)

    def _growing(self, resource: Resource) -> list[Predicate | None]:
        """The drivers of the ways in that grow with the county; None: there is no driver."""
        drivers = [
            next((one for one in conjuncts(part) if self._drives(resource, one)), None)
            for part in disjuncts(self.visibility.access.grant(resource.name).rows)
        ]
        return [one for one in drivers if one is None or getattr(one, "attribute", "") in _SCOPED_INDEXES]

    def _narrow(self, resource: Resource) -> bool:
        """Whether so few rows are visible that all of them may be sorted."""
        return not self._growing(resource)

    def branches(
        self, resource: Resource, rows: Predicate, conditions: tuple[p.Condition, ...] = ()
    ) -> list[Branch] | None:
        """The ways into a union of scopes, each a select of what the limit asks of a row (its id, the keys of the order), in page order;
        None if a plain WHERE is as good."""
        if resource.name != "Dispute" and not resource.part:
            return None
        parts = disjuncts(rows)
        found: list[Branch] = []
        plain = True
        for part in parts:
            driver = next((one for one in conjuncts(part) if self._drives(resource, one)), None)
            if driver is None:
                return None
            branch = self._branch(resource, part, driver, conditions)
            plain = plain and branch is None
            found.append(branch or self._direct(resource, part))
        return None if not found or (plain and len(found) == 1) else found

    @staticmethod
    def _drives(resource: Resource, part: Predicate) -> bool:
        match part:
            case Eq(attribute=name, value=ClaimRef()) | In(attribute=name):
                # A part has no index on the scopes of its dispute: its own keys, and theirs by way of the dispute.
                return resource.part or name in _INDEXED
            case Has(attribute=name):
                return resource.attributes[name].link is not None
        return False

    @staticmethod
    def _scoped_index(resource: Resource, driver: Predicate, conditions: Sequence[p.Condition]) -> ScopedIndex | None:
        """The lane that meets most conditions within the scope, if there is one that meets any."""
        if resource.part or not isinstance(driver, Eq):
            return None
        given = {one.fields[0]: one for one in conditions if one.operator == "in"}
        indexes = [
            ScopedIndex(columns, tuple(given.get(column) for column in columns))
            for columns in _SCOPED_INDEXES.get(driver.attribute, ())
            if all(column in given or column in _ALL for column in columns)
        ]
        best = max(indexes, key=lambda index: (len(index.met), len(index.columns)), default=None)
        return best if best is not None and best.met else None

    @staticmethod
    def _search(resource: Resource, driver: Predicate, conditions: Sequence[p.Condition]) -> p.Condition | None:
        """The text that is searched for in a scope that grows with the county."""
        if resource.part or getattr(driver, "attribute", "") not in _SCOPED_INDEXES:
            return None
        return next((one for one in conditions if one.operator == "text"), None)

    def _direct(self, resource: Resource, part: Predicate) -> Branch:
        row, at = self.visibility.row(resource, resource.table.alias())

        def direct(limit: Limit) -> Select[Any]:
            statement = select(row["id"].label("id")).select_from(at).where(self.visibility.where(part, row))
            return select(limit.cut(statement, row, row.__getitem__, ()).subquery())

        return direct

    def _searching(self, resource: Resource, part: Predicate, search: p.Condition) -> Branch:
        """A text that many rows have is found soon in page order; one that few have, by the index of the texts."""

        def searching(limit: Limit) -> Select[Any]:
            row, _ = self.visibility.row(resource, resource.table.alias())
            # OFFSET 0: nothing but the text may lead to these rows.
            having = (
                select(row.at).where(condition(self.visibility, row, search)).offset(literal_column("0")).subquery()
            )
            hit = Row(resource, having, having)
            hits = select(hit["id"].label("id")).where(self.visibility.where(part, hit))
            if limit.start is None or limit.wanted is None:
                return select(limit.cut(hits, hit, hit.__getitem__, (search,)).subquery())
            scanned, _ = self.visibility.row(resource, resource.table.alias())
            scan = limit.start(select(scanned.at).where(self.visibility.where(part, scanned)), scanned.__getitem__)
            most = scan.limit(literal_column(str(_LOOKED_THROUGH))).subquery()
            near = Row(resource, most, most)
            nearest = limit.cut(select(near["id"].label("id")), near, near.__getitem__, ())
            too_few = select(func.count()).select_from(nearest.subquery()).scalar_subquery() < limit.wanted
            farther = limit.cut(hits.where(too_few), hit, hit.__getitem__, (search,))
            return select(union(select(nearest.subquery()), select(farther.subquery())).subquery())

        return searching

    def _branch(
        self, resource: Resource, part: Predicate, driver: Predicate, conditions: tuple[p.Condition, ...]
    ) -> Branch | None:
        """The way in by its driver; None if a plain WHERE does as well."""
        rest = all_of(one for one in conjuncts(part) if one != driver)
        row, at = self.visibility.row(resource, resource.table.alias())
        search, index = self._search(resource, driver, conditions), self._scoped_index(resource, driver, conditions)

        def by_link(limit: Limit) -> Select[Any]:
            assert isinstance(driver, Has)
            link = resource.attributes[driver.attribute].link
            assert link is not None
            via = link.table.alias()
            # The page keys are read from the link, so that the link's index gives the order.
            keys = {"id": via.c.dispute_id, "registered_at": via.c.dispute_registered_at}
            if not limit.own:
                linked = select(via.c.dispute_id).where(
                    via.c[link.key] == self.visibility.claim(driver.claim), link.alive(via)
                )
                within = (
                    select(row["id"].label("id"))
                    .select_from(at)
                    .where(row["id"].in_(linked), self.visibility.where(rest, row))
                )
                return select(limit.cut(within, row, row.__getitem__, ()).subquery())
            statement = (
                select(keys["id"].label("id"))
                # One dispute may be linked twice to one value (an invitation and a report): each counts once, before the limit.
                .ext(distinct_on(keys["registered_at"], keys["id"]))
                .select_from(
                    via if not conditions and rest == Always() else via.join(row.at, row["id"] == via.c.dispute_id)
                )
                .where(
                    via.c[link.key] == self.visibility.claim(driver.claim),
                    link.alive(via),
                    self.visibility.where(rest, row),
                )
            )
            return select(limit.cut(statement, row, keys.__getitem__, ()).subquery())

        match driver:
            case Has() if not resource.part:
                return by_link
            case In(attribute=name, claim=claim):
                value = resource.attributes[name].value
                assert value is not None
                return self._by_each(row, at, [(value(row), self.visibility.claim(claim))], rest, ())
        if search is not None:
            return self._searching(resource, part, search)
        if index is not None:
            scans = [(row[column], values) for column, values in index.values().items()]
            return self._by_each(row, at, scans, part, index.met)
        return None

    def _by_each(
        self,
        row: Row,
        at: FromClause,
        scans: Sequence[tuple[Sql, Sql]],
        scope: Predicate,
        met: Sequence[p.Condition],
    ) -> Branch:
        """A walk for each combination of values: of `walks`, each a column and the list of its values."""

        def each_of(limit: Limit) -> Select[Any]:
            # A list may hold a value twice; its rows are found once.
            lists = [select(func.unnest(values).label("value")).distinct().subquery() for _, values in scans]
            statement = select(row["id"].label("id")).select_from(at).where(self.visibility.where(scope, row))
            for (column, _), each in zip(scans, lists, strict=True):
                statement = statement.where(column == each.c.value)
            statement = statement.correlate(*lists)
            scan = limit.cut(statement, row, row.__getitem__, met).correlate(*lists).lateral()
            each_with: FromClause = lists[0]
            for other in lists[1:]:
                each_with = each_with.join(other, true())
            return select(scan).select_from(each_with.join(scan, true()))

        return each_of


def _is_own(page: p.Page, resource: Resource) -> bool:
    """Whether the rows are wanted in the order of the resource, or in the opposite: the indexes behind its scopes give both."""
    own = tuple(p.Order(*key) for key in resource.order)
    opposite = tuple(p.Order(key.field, not key.descending) for key in own)
    return page.order == own or (
        page.order == opposite and not any(resource.table.c[key.field].nullable for key in own)
    )


def _union(parts: list[Select[Any]]) -> Any:
    # Each way finds a row once; two ways may find the same.
    return parts[0].union(*parts[1:]) if len(parts) > 1 else parts[0]
