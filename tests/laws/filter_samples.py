"""Values for the conditions of filters, taken from plain rows, with the rows that meet them."""

import datetime as dt
import operator as op
from collections.abc import Callable
from typing import Any
from uuid import UUID

from graphql import GraphQLEnumType, get_named_type, get_nullable_type, is_list_type

from db.resources.catalog import RESOURCES
from tests.laws.expected_cells import value_of
from tests.laws.visibility_oracle import ZONE, Record, Rights, Snapshot, global_id

Sample = tuple[Any, set[Any]]

# The conditions that compare a column with a bound; those of days compare the day in the county's time.
_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "from": op.ge, "to": op.le, "before_day": op.lt, "from_day": op.ge, "to_day": op.le,
}  # fmt: skip


class FilterSample:
    """The rows of a resource in reach of a caller; all rows, where none is."""

    def __init__(self, snapshot: Snapshot, rights: Rights, resource: str) -> None:
        self.snapshot, self.rights, self.resource = snapshot, rights, resource
        self.rows = [snapshot.rows[resource][key] for key in sorted(rights.ids(resource) or snapshot.rows[resource])]

    def find(self, name: str, operator: str) -> Sample:
        """A value for the condition, None where no row has one, and the ids of the rows that meet it."""
        if operator in _BOUNDS:
            return self._bound(name, operator)
        match operator:
            case "in":
                values = sorted({row[name] for row in self.rows if row[name] is not None})[:2] or None
                return values, self._matching(lambda row: values and row[name] in values)
            case "eq":
                value = _middle([value for row in self.rows if (value := self._value(row, name)) is not None])
                return value, self._matching(lambda row: self._value(row, name) == value)
            case "flag":
                return True, self._matching(lambda row: value_of(self.snapshot, self.resource, row, name))
            case "present":
                return False, self._matching(lambda row: row[name] is None)
            case "area":
                code = place(self.snapshot, self.resource, _middle(self.rows))[:9]
                return code, self._matching(lambda row: place(self.snapshot, self.resource, row).startswith(code))
            case "is":
                key = _middle([row[f"{name}_id"] for row in self.rows if row[f"{name}_id"] is not None])
                target = RESOURCES[self.resource].relations[name].target
                return key and global_id(target, key), self._matching(lambda row: row[f"{name}_id"] == key)
            case "mediator":
                return self._mediator()
            case "party":
                return self._party(name.partition(".")[2])
        return self._text()

    def _matching(self, condition: Callable[[Record], Any]) -> set[Any]:
        return {row["id"] for row in self.rows if condition(row)}

    def _value(self, row: Record, name: str) -> Any:
        return row[name] if name in row else value_of(self.snapshot, self.resource, row, name)

    def _bound(self, name: str, operator: str) -> Sample:
        def comparable(value: Any) -> Any:
            of_day = operator in ("from_day", "to_day") and isinstance(value, dt.datetime)
            return value.astimezone(ZONE).date() if of_day else value

        bound = comparable(_middle(sorted(row[name] for row in self.rows if row[name] is not None)))
        compare = _BOUNDS[operator]
        return bound, self._matching(lambda row: row[name] is not None and compare(comparable(row[name]), bound))

    def _mediator(self) -> Sample:
        assigned = self.snapshot.by("Assignment", "dispute_id")
        mediators = {
            row["id"]: {one["person_id"] for one in assigned[row["id"]] if one["ended_at"] is None} for row in self.rows
        }
        person = _middle([one for people in mediators.values() for one in sorted(people)])
        if person is None:
            return None, set()
        (mediator,) = self.snapshot.find("Mediator", person_id=person)
        return global_id("Mediator", mediator["id"]), {key for key, people in mediators.items() if person in people}

    def _party(self, column: str) -> Sample:
        disputes = {row["id"] for row in self.rows}
        parties = [one for one in self.snapshot.rows["Party"].values() if one["dispute_id"] in disputes]
        value = _middle([one[column] for one in parties if one[column]])
        return value, {one["dispute_id"] for one in parties if one[column] == value}

    def _text(self) -> Sample:
        word = _middle(self.rows)["title"][:2]
        narrative = ["summary"] if self.rights.reads(self.resource, "narrative") else []
        columns = ("title", "public_summary", "case_number", *narrative)
        return word, self._matching(lambda row: any(word.lower() in (row[one] or "").lower() for one in columns))


def _middle(values: list[Any]) -> Any:
    return values[len(values) // 2] if values else None


def place(snapshot: Snapshot, resource: str, row: Record) -> str:
    """The code of the place that a row lies in."""
    if resource == "Area":
        return str(row["code"])
    if resource == "Organization":
        return str(row["area_code"])
    if resource == "Mediator":
        return str(snapshot.rows["Organization"][row["organization_id"]]["area_code"])
    return str(row["grid_code"] if "grid_code" in row else snapshot.rows["Dispute"][row["dispute_id"]]["grid_code"])


def any_value(kind: Any, resource: str, name: str) -> Any:
    """A value that fits, where there is no row to take one from."""
    named = get_named_type(kind)
    if isinstance(named, GraphQLEnumType):
        value: Any = next(iter(named.values))
    elif named.name == "ID":
        value = global_id(RESOURCES[resource].relations[name].target, UUID(int=0))
    else:
        fitting = {"Date": "2024-01-01", "DateTime": "2024-01-01T00:00:00Z", "Boolean": True, "Int": 1, "Money": "1.00"}
        value = fitting.get(named.name, "371525002")
    return [value] if is_list_type(get_nullable_type(kind)) else value
