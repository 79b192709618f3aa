"""What each person should see, reckoned from the policy's text and from plain rows.

Independent of the compiler and of the SQL: the text is split by hand, conditions are run by Python, attributes are joined here.
"""

import base64
import csv
import datetime as dt
import decimal
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import CodeType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from db.resources.catalog import RESOURCES
from policies.compile import POLICY_PATH
from tests.laws.addresses import mask_address

# Not that of db.calendar: the oracles compute days independently of what they judge.
ZONE = ZoneInfo("Asia/Shanghai")
Record = Mapping[str, Any]


class _Missing:
    """A missing value: equal to nothing, not even to another one, and with nothing in it."""

    def __eq__(self, other: object) -> bool:
        return False

    def __contains__(self, other: object) -> bool:
        return False

    def __hash__(self) -> int:
        return id(self)


class _Subject:
    """What a condition calls r.sub or r.obj."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values

    def __getattr__(self, name: str) -> Any:
        value = self.values[name]
        return _Missing() if value is None else value


@dataclass(frozen=True)
class Request:
    sub: _Subject
    obj: _Subject


@dataclass(frozen=True)
class Rule:
    """A p line. `conditions`: the named ones that must all hold."""

    role: str
    resource: str
    action: str
    conditions: frozenset[str]
    code: CodeType
    clear: frozenset[str]
    masked: frozenset[str]


class PolicyText:
    """The lines of a policy."""

    def __init__(self, text: str) -> None:
        named: dict[str, str] = {}
        inherited: dict[str, set[str]] = defaultdict(set)
        raw = []
        for row in csv.reader(text.splitlines(), skipinitialspace=True):
            match row:
                case ["p2", name, condition, _]:
                    named[name] = condition
                case ["g", role, parent]:
                    inherited[role].add(parent)
                case ["p", *columns]:
                    raw.append(columns)
        self.lines: list[Rule] = []
        for role, resource, action, condition, fields, effect in raw:
            assert effect == "allow"
            code = re.sub(r"\b[a-z_]+\b", lambda m: f"({named[m[0]]})" if m[0] in named else m[0], condition)
            granted = set() if fields == "-" else set(fields.split("|"))
            self.lines.append(
                Rule(
                    role,
                    resource,
                    action,
                    frozenset(condition.split(" and ")) - {"anywhere"},
                    compile(code, condition, "eval"),
                    frozenset(one for one in granted if not one.startswith("~")),
                    frozenset(one[1:] for one in granted if one.startswith("~")),
                )
            )
        self.inherited = inherited

    def roles(self, role: str) -> set[str]:
        """The role and all that it inherits."""
        found, waiting = set(), [role]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self.inherited[one]
        return found


POLICY = PolicyText(POLICY_PATH.read_text(encoding="utf-8"))

# resource -> table
TABLES = {name: source.table.name for name, source in RESOURCES.items()}


@dataclass(frozen=True)
class AppointmentInForce:
    """An appointment in force, with its claims."""

    role: str
    claims: dict[str, Any]


class Snapshot:
    """All rows of a database, with the attributes of those that a condition may speak of."""

    def __init__(self, rows: dict[str, dict[UUID, Record]], today: dt.date) -> None:
        self.rows, self.today = rows, today
        self._indexes: dict[tuple[str, str], dict[Any, list[Record]]] = {}
        self._subjects: dict[str, dict[UUID, _Subject]] = {}

    @classmethod
    async def read(cls, connection: Any) -> "Snapshot":
        rows = {}
        for name, table in TABLES.items():
            rows[name] = {row["id"]: row for row in await connection.fetch(f"SELECT * FROM {table}")}
        today = await connection.fetchval(f"SELECT (now() AT TIME ZONE '{ZONE.key}')::date")
        return cls(rows, today)

    def find(self, name: str, **wanted: Any) -> list[Record]:
        return [row for row in self.rows[name].values() if all(row[key] == value for key, value in wanted.items())]

    def by(self, name: str, key: str) -> dict[Any, list[Record]]:
        found: dict[Any, list[Record]] = defaultdict(list)
        for row in self.rows[name].values():
            found[row[key]].append(row)
        return found

    def index(self, name: str, key: str) -> dict[Any, list[Record]]:
        """The rows by the value of a column, kept."""
        if (name, key) not in self._indexes:
            self._indexes[name, key] = self.by(name, key)
        return self._indexes[name, key]

    @cached_property
    def of_dispute(self) -> dict[UUID | None, dict[str, Any]]:
        """The attributes of each dispute, which all its parts have."""
        assigned, referred = self.by("Assignment", "dispute_id"), self.by("Referral", "dispute_id")
        confirming = self.by("Confirmation", "dispute_id")
        month_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
        found: dict[UUID | None, dict[str, Any]] = {}
        for key, row in self.rows["Dispute"].items():
            active = [one for one in assigned[key] if one["ended_at"] is None]
            found[key] = dict(row) | {
                "mediator_ids": {one["person_id"] for one in active},
                "lead_mediator_id": next((one["person_id"] for one in active if one["is_lead"]), None),
                "referred_organization_ids": {
                    one["organization_id"] for one in referred[key] if one["state"] != "WITHDRAWN"
                },
                "confirming_court_ids": {one["court_id"] for one in confirming[key]},
                "is_recent": row["closed_at"] is None or row["closed_at"] > month_ago,
            }
        nothing = dict.fromkeys(next(iter(found.values())))
        sets = ("mediator_ids", "referred_organization_ids", "confirming_court_ids")
        found[None] = nothing | {name: set() for name in sets} | {"is_recent": True}
        return found

    @cached_property
    def present(self) -> dict[UUID | None, set[UUID]]:
        """The organizations at each session."""
        found: dict[UUID | None, set[UUID]] = defaultdict(set)
        for row in self.rows["Attendance"].values():
            found[row["session_id"]].add(row["organization_id"])
        return found

    def subjects(self, name: str) -> dict[UUID, _Subject]:
        """What r.obj is for each row of a resource, kept."""
        if name not in self._subjects:
            self._subjects[name] = {key: self._subject(name, key, row) for key, row in self.rows[name].items()}
        return self._subjects[name]

    def _subject(self, name: str, key: UUID, row: Record) -> _Subject:
        values = dict(row)
        if name == "Dispute":
            values = self.of_dispute[key]
        elif "dispute_id" in row:
            values = self.of_dispute[row["dispute_id"]] | values
        elif "grid_code" in row and "town_code" not in row:
            values |= {"town_code": row["grid_code"][:9], "county_code": row["grid_code"][:6]}
        if name in ("Session", "Attendance", "Note"):
            values["attending_organization_ids"] = self.present[key if name == "Session" else row["session_id"]]
        if name == "Assignment":
            values["is_presiding"] = row["is_lead"] and row["ended_at"] is None
        return _Subject(values)

    def person(self, name: str) -> UUID:
        return next(row["id"] for row in self.rows["Person"].values() if row["name"] == name)

    def appointments(self, name: str) -> list[AppointmentInForce]:
        """The appointments of a person that are in force."""
        found = []
        person = self.person(name)
        for row in self.find("Appointment", person_id=person):
            if self._holds(row):
                teams = {
                    one["team_id"]
                    for one in self.find("TeamMember", person_id=person, role=row["role"].upper())
                    if self._holds(one) and self.rows["Team"][one["team_id"]]["state"] == "ACTIVE"
                }
                claims = {name: row[name] for name in ("person_id", "organization_id", "area_code")}
                found.append(AppointmentInForce(row["role"], claims | {"team_ids": teams}))
        return found

    def _holds(self, row: Record) -> bool:
        return bool(row["valid_from"] <= self.today and (row["valid_to"] is None or row["valid_to"] >= self.today))


class Rights:
    """What one person may, on every row."""

    def __init__(
        self, snapshot: Snapshot, appointments: Iterable[AppointmentInForce], policy: PolicyText = POLICY
    ) -> None:
        self.snapshot, self.appointments, self.policy = snapshot, list(appointments), policy
        self.lines = [
            (number, line)
            for number, post in enumerate(self.appointments)
            for line in policy.lines
            if line.role in policy.roles(post.role)
        ]
        self._visibility: dict[tuple[str, str], dict[UUID, dict[str, str]]] = {}

    def rules(self, resource: str, action: str = "read") -> list[tuple[int, Rule]]:
        return [(number, line) for number, line in self.lines if (line.resource, line.action) == (resource, action)]

    def visibility(self, resource: str, action: str = "read") -> dict[UUID, dict[str, str]]:
        """The rows in reach, each with the classes of its fields: `clear` or `masked`; the others are hidden."""
        key = (resource, action)
        if key not in self._visibility:
            found: dict[UUID, dict[str, str]] = {}
            for number, line in self.rules(resource, action):
                sub = _Subject(self.appointments[number].claims)
                for row, obj in self.snapshot.subjects(resource).items():
                    if eval(line.code, {"r": Request(sub, obj)}):
                        shown = found.setdefault(row, {})
                        shown.update((one, "masked") for one in line.masked if one not in shown)
                        shown.update((one, "clear") for one in line.clear)
            self._visibility[key] = found
        return self._visibility[key]

    def ids(self, resource: str) -> set[UUID]:
        return set(self.visibility(resource))

    def reads(self, resource: str, field_class: str) -> bool:
        """Whether the text says that the class is in clear on every row in reach: each rule that brings a row is as narrow as one
        that brings the class."""
        rules = self.rules(resource)
        return bool(rules) and all(
            any(
                one == number and line.conditions >= other.conditions and field_class in other.clear
                for one, other in rules
            )
            or any(not other.conditions and field_class in other.clear for _, other in rules)
            for number, line in rules
        )

    def openness(self, resource: str) -> tuple[str, frozenset[str]] | None:
        """The resource with its clear classes where every rule holds anywhere, so that all who have them see the same; else None."""
        rules = self.rules(resource)
        if not rules or any(line.conditions or line.masked for _, line in rules):
            return None
        return resource, frozenset(one for _, line in rules for one in line.clear)

    def accompanies(self, resource: str, part: str) -> bool:
        """Whether the text says that every part of a row in reach is in reach."""
        rules, part_rules = self.rules(resource), self.rules(part)
        return bool(rules) and all(
            any(
                (one == number and line.conditions >= other.conditions) or not other.conditions
                for one, other in part_rules
            )
            for number, line in rules
        )


def mask(kind: str, value: str | None) -> str | None:
    """The masked form of a value, as the domain's table has it."""
    if value is None or kind == "stored":
        return value
    if kind == "name":
        return value[0] + "*" * min(len(value) - 1, 2) if len(value) > 1 else "*"
    if kind == "phone":
        if re.fullmatch(r"1\d{10}", value):
            return f"{value[:3]}****{value[-4:]}"
        if re.fullmatch(r"0(10|2\d|[3-9]\d\d)-\d{7,8}", value):
            area, number = value.split("-")
            return f"{area}-{'*' * (len(number) - 2)}{number[-2:]}"
        return "*" * len(value)
    return mask_address(value)


def as_json(value: Any) -> Any:
    """A value of a row as JSON carries it."""
    match value:
        case dt.datetime():
            moment = value.astimezone(dt.UTC)
            text = moment.strftime("%Y-%m-%dT%H:%M:%S") + (
                f".{moment.microsecond:06}".rstrip("0") if moment.microsecond else ""
            )
            return text + "+00:00"
        case dt.date():
            return value.isoformat()
        case decimal.Decimal():
            return str(value) if value.as_tuple().exponent == -2 else float(value)
        case UUID():
            return str(value)
    return value


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def global_id(resource: str, key: UUID) -> str:
    return f"{resource}:{key}"


def key_of(global_id: str) -> UUID:
    return UUID(global_id.partition(":")[2])


def cursor(*values: Any) -> str:
    """A cursor that holds these values."""
    return base64.b64encode(orjson.dumps(values)).decode()
