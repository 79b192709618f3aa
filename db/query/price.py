"""What a plan costs to turn into SQL for one caller, before it is: the length of the text, estimated from what is selected and from what the
caller's policy makes of it.

The unit is about a hundred characters of SQL, to which the work of building, sending and planning a statement is proportional. It is known
from the plan and the grants alone; `tests/db/query/test_price.py` compares it with the statements themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from db.query import plan as p
from db.query.statistics.metrics import METRICS
from db.resources.catalog import RESOURCES
from db.resources.resource import Resource
from db.resources.transitions import offered_actions
from policies.grant import Access
from policies.predicate import Always, And, Eq, Has, In, Never, Not, Or, Predicate, disjuncts, implies

# Of 1/100: a clause is about as long as a comparison with its `AND`.
_COMPARISON, _EXISTS, _GUARD = 40, 330, 200
_STATEMENT, _MEMBER, _ROW, _PAGE, _BRANCH, _COUNT, _CURSOR = 300, 40, 200, 600, 450, 400, 200
_CLOCKS, _ENTRY, _PART, _LABEL = 5_500, 500, 220, 5_000
_STATISTICS, _METRIC = 3_000, 500


class Prices:
    """The prices of one access. It remembers what it has computed, so it serves one plan, or several of one request."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._known: dict[Any, int] = {}

    def of(self, plan: p.Plan) -> int:
        """The price of a plan: a small one is 10, the detail page of a dispute some hundred."""
        return -(-(_STATEMENT + sum(self._root(item) for item in plan.items)) // 100)

    def _once(self, key: Any, compute: Callable[[], int]) -> int:
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]

    # -- items of a plan

    def _root(self, item: Any) -> int:
        match item:
            case p.Lookup(node=node):
                return self._row(node.resource) + self._node(node)
            case p.Batch(nodes=nodes):
                return _ROW + sum(self._row(node.resource) + self._node(node) for node in nodes)
            case p.Viewer(items=items):
                return _ROW + self._pairs(items)
            case p.Statistics(items=items):
                return self._statistics(items)
            case p.Page():
                return self._page(item)
        return _MEMBER

    def _node(self, node: p.Node) -> int:
        return sum(self._item(node.resource, item) for item in node.items)

    def _pairs(self, items: Iterable[tuple[str, Any]]) -> int:
        """Members of an object that is no row: a node among them is a row looked up."""
        return sum(
            self._row(item.resource) + self._node(item) if isinstance(item, p.Node) else _MEMBER for _, item in items
        )

    def _item(self, resource: str, item: Any) -> int:
        match item:
            case p.Value(field=name):
                return self._once((resource, name), lambda: self._value(RESOURCES[resource], name))
            case p.AccessInfo(items=items):
                return _ROW + sum(self._access_info(RESOURCES[resource], name) for _, name in items)
            case p.Clocks(items=items):
                return self._once("clocks", self._clocks) + _MEMBER * len(items)
            case p.Timeline(items=items):
                return self._timeline(items)
            case p.One(node=node) | p.Many(node=node):
                return _ROW + self._seen(RESOURCES[node.resource]) + self._node(node)
            case p.Page():
                return self._page(item)
        return _MEMBER

    def _row(self, resource: str) -> int:
        """A row that is looked up, with what makes it visible."""
        return _ROW + self._predicate(RESOURCES[resource], self._rows(resource))

    def _page(self, page: p.Page) -> int:
        """A list: its rows are found once, and once more for each count of them."""
        resource = RESOURCES[page.resource]
        conditions = sum(_COMPARISON * (3 + len(one.fields)) for one in page.conditions)
        branches = disjuncts(self._rows(page.resource)) if page.relation is None else (self._rows(page.resource),)
        found = sum(_BRANCH + self._predicate(resource, one) + conditions for one in branches)
        counts = {item.exact if isinstance(item, p.TotalCount) else False for item in page.items if _counts(item)}
        cursors = _CURSOR * (page.slice.after + page.slice.before) * (1 + len(page.order)) * len(branches)
        own = tuple(p.Order(*key) for key in resource.order) == page.order
        price = _PAGE + found * (1 + len(counts) + (0 if own else 2)) + _COUNT * len(counts) + cursors
        for item in page.items:
            match item:
                case p.Nodes(node=node):
                    price += _ROW + self._node(node)
                case p.Edges(items=items):
                    price += _ROW + sum(
                        self._node(one) + _ROW if isinstance(one, p.Node) else _CURSOR for _, one in items
                    )
                case p.PageInfo(items=items):
                    price += _CURSOR * len(items) * (1 + len(page.order))
        return price

    def _statistics(self, items: Sequence[tuple[str, str | p.Metrics]]) -> int:
        names = [name for _, one in items for name in (one.items if isinstance(one, p.Metrics) else ((None, one),))]
        resource = RESOURCES["Dispute"]
        rows = sum(_BRANCH + self._predicate(resource, one) for one in disjuncts(self._rows("Dispute")))
        return _STATISTICS + 2 * rows + sum(_METRIC if name in METRICS else _MEMBER for _, name in names)

    # -- what the policy makes of them

    def _rows(self, resource: str, action: str = "read") -> Predicate:
        return self._access.grant(resource, action).rows

    def _value(self, resource: Resource, name: str) -> int:
        reading = self._access.grant(resource.name).field(resource.fields[name].policy)
        if implies(self._rows(resource.name), reading.clear):
            return _MEMBER
        return 2 * _MEMBER + self._predicate(resource, reading.clear) + self._predicate(resource, reading.masked)

    def _access_info(self, resource: Resource, name: str) -> int:
        match name:
            case "can":
                return self._once((resource.name, "can"), lambda: self._can(resource))
            case "hidden" | "masked":
                return self._once((resource.name, name), lambda: self._withheld(resource, name == "masked"))
        return _MEMBER

    def _can(self, resource: Resource) -> int:
        price = _MEMBER
        for action, transition in offered_actions(resource.name, resource.actions):
            rows = self._rows(resource.name, action)
            if rows != Never():
                price += 2 * _COMPARISON + self._predicate(resource, rows) + _GUARD * len(transition.guards)
        return price

    def _withheld(self, resource: Resource, masked: bool) -> int:
        grant = self._access.grant(resource.name)
        forms = {(one.clear, one.masked) for one in (grant.field(field.policy) for field in resource.fields.values())}
        return _MEMBER + sum(
            2 * _COMPARISON + self._predicate(resource, clear) + self._predicate(resource, mask)
            for clear, mask in forms
            if not implies(grant.rows, clear) and not (masked and mask == Never())
        )

    def _clocks(self) -> int:
        parts = sum(
            self._predicate(RESOURCES[name], self._rows(name)) for name in ("Agreement", "Escalation", "FollowUp")
        )
        fields = ("state", "due_on", "tier", "utility_cut", "sub_category", "registered_at", "accepted_at")
        return _CLOCKS + parts + sum(self._value(RESOURCES["Dispute"], name) for name in fields)

    def _timeline(self, items: Sequence[tuple[str, Any]]) -> int:
        price = _ENTRY + self._entry("sees", lambda _: ())
        for _, item in items:
            match item:
                case p.Node():
                    price += self._row(item.resource) + self._node(item)
                case p.Changes(items=members):
                    price += _ENTRY + _MEMBER * len(members) + self._entry("changes", self._all_clear)
                case "from_state" | "to_state":
                    price += self._entry("state", lambda resource: self._clear(resource, ("state",)))
                case "label":
                    price += _LABEL
                case _:
                    price += _MEMBER
        return price

    def _entry(self, what: str, reads: Callable[[Resource], Iterable[Predicate]]) -> int:
        """Whether an entry shows: a branch for each resource of which it may be."""

        def compute() -> int:
            return sum(
                _PART
                + self._seen(resource)
                + sum(
                    2 * _COMPARISON + self._predicate(resource, one)
                    for one in reads(resource)
                    if not self._holds(resource, one)
                )
                for name, resource in RESOURCES.items()
                if (resource.part or name == "Dispute") and self._rows(name) != Never()
            )

        return self._once(("timeline", what), compute)

    def _holds(self, resource: Resource, predicate: Predicate) -> bool:
        """Whether it holds of each visible row below a visible dispute, so that nothing is asked."""
        rows = self._rows(resource.name)
        return implies(rows, predicate) or (resource.part and implies(self._rows("Dispute"), predicate))

    def _seen(self, resource: Resource) -> int:
        """What makes a row visible; nothing for the part of which the dispute has settled it."""
        rows = self._rows(resource.name)
        settled = resource.part and implies(self._rows("Dispute"), rows)
        return 0 if settled else self._predicate(resource, rows)

    def _clear(self, resource: Resource, names: Iterable[str]) -> set[Predicate]:
        grant = self._access.grant(resource.name)
        return {grant.field(resource.fields[name].policy).clear for name in names if name in resource.fields} - {
            Never()
        }

    def _all_clear(self, resource: Resource) -> set[Predicate]:
        return self._clear(resource, resource.fields)

    def _predicate(self, resource: Resource, predicate: Predicate) -> int:
        match predicate:
            case Always() | Never():
                return _COMPARISON // 4
            case And(parts=parts) | Or(parts=parts):
                return sum(self._predicate(resource, part) for part in parts)
            case Not(part=part):
                return _COMPARISON // 2 + self._predicate(resource, part)
            case Eq(attribute=name) | In(attribute=name) | Has(attribute=name):
                return _COMPARISON if resource.attributes[name].column is not None else _EXISTS


def _counts(item: Any) -> bool:
    return isinstance(item, p.TotalCount | p.TotalCapped)
