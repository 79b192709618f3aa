"""The shape of a read: a frozen tree of resources, fields, relations and pages, with names of binds in place of values.

Pure data, made by `schema.planning`, turned into SQL by `db.query.select`. Two requests with equal plans share one statement.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Typename:
    """The GraphQL name of the object, a constant."""

    key: str
    name: str


@dataclass(frozen=True)
class Identifier:
    """The global id, `Type:uuid`."""

    key: str


@dataclass(frozen=True)
class Value:
    """A field of the catalog, shown as the caller's grant says."""

    key: str
    field: str


@dataclass(frozen=True)
class AccessInfo:
    """`access { hidden masked can }` of a row. `items`: (key, hidden | masked | can | typename); `fields`, `relations`: (name, shown as)."""

    key: str
    items: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, str], ...]
    relations: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Clocks:
    """`clocks` of a dispute; items: (key, name | due_on | state | typename)."""

    key: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Changes:
    """`changes` of an entry of a timeline; items: (key, resource | field | value | typename)."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Timeline:
    """`timeline` of a dispute; items: (key, name of a member | typename | Node of the actor | Changes).

    `labels`: (name of a command, its label), sorted by name; empty if no item is the label.
    """

    key: str
    items: tuple[tuple[str, str | Node | Changes], ...]
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class One:
    """A to-one relation: the row if the caller may see it, else null."""

    key: str
    relation: str
    node: Node


@dataclass(frozen=True)
class Many:
    """A plain list of the visible rows of a to-many relation."""

    key: str
    relation: str
    node: Node


@dataclass(frozen=True)
class Node:
    """What is selected of a row of `resource`."""

    resource: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Condition:
    """One condition of a filter: `operator` on `fields` (several: in any of them) with the value of a bind.

    `variant`: what of the value the SQL text depends on: for `flag` and `present` the value itself (they have no bind), for `area` the
    length of the code, which tells its level; None for the other operators.
    """

    fields: tuple[str, ...]
    operator: str
    bind: str
    variant: bool | int | None = None


@dataclass(frozen=True)
class Order:
    """One key of an order."""

    field: str
    descending: bool


@dataclass(frozen=True)
class Slice:
    """Which part of a list: `size` names the bind of first/last; `backward`: from the end; `after`, `before`: whether there is such a cursor.

    A cursor's values are the binds `<size>_after_0 ...` and `<size>_before_0 ...`, one for each order key and the last for the id; below a
    row `<size>_after_parent` and `<size>_before_parent` are the row that it belongs to. Cursors that are shown carry the bind `<size>_mark`.
    """

    size: str
    backward: bool = False
    after: bool = False
    before: bool = False


@dataclass(frozen=True)
class PageInfo:
    """`pageInfo`; items: (key, has_next_page | has_previous_page | start_cursor | end_cursor | typename)."""

    key: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Nodes:
    """`nodes` of a page: the rows as a plain list."""

    key: str
    node: Node


@dataclass(frozen=True)
class Edges:
    """`edges`; items: (key, "cursor" | "typename" | Node)."""

    key: str
    items: tuple[tuple[str, str | Node], ...]


@dataclass(frozen=True)
class TotalCount:
    """`totalCount`; `exact`: counted to the end, however many there are. `unbounded`: what the caller sees may be most of the table."""

    key: str
    exact: bool
    unbounded: bool


@dataclass(frozen=True)
class TotalCapped:
    """`totalCountCapped`: whether there are more rows than a count that is not exact goes to."""

    key: str


@dataclass(frozen=True)
class Page:
    """A connection: at the root (`relation` None) or below a row."""

    key: str
    resource: str
    relation: str | None
    conditions: tuple[Condition, ...]
    order: tuple[Order, ...]
    slice: Slice
    items: tuple[Typename | PageInfo | Nodes | Edges | TotalCount | TotalCapped, ...]


@dataclass(frozen=True)
class Lookup:
    """One row by its id or by a unique field; the value is a bind."""

    key: str
    field: str
    bind: str
    node: Node


@dataclass(frozen=True)
class Batch:
    """`nodes(ids)`: the rows in the order of the ids, null where there is none to see. Binds: `<bind>_types`, `<bind>_ids`."""

    key: str
    bind: str
    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Viewer:
    """`viewer`; items: (key, roles | token_expires_at | policy_version | typename | Node of the person)."""

    key: str
    items: tuple[tuple[str, str | Node], ...]


@dataclass(frozen=True)
class Metrics:
    """Metrics of a group: (key, name of a metric | key | label | typename)."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Statistics:
    """`statistics`; items: (key, name of a total's metric | typename | Metrics of the groups by `group_by`).
    Binds: `<bind>_<name>` for the bounds of the period (`db.query.statistics.period`)."""

    key: str
    bind: str
    since: bool
    until: bool
    group_by: str | None
    items: tuple[tuple[str, str | Metrics], ...]
    # The codes of the groups with their labels; none where a group is a place or a month.
    labels: tuple[tuple[str, str], ...] = ()


Item = Typename | Identifier | Value | AccessInfo | Clocks | Timeline | One | Many | Page
Root = Typename | Lookup | Batch | Page | Viewer | Statistics


@dataclass(frozen=True)
class Plan:
    """A whole query: its root fields in order of their response keys."""

    items: tuple[Root, ...]
    nullable: tuple[str, ...] = field(default=())
