"""A small invented county for the laws: random rows in which every constraint holds, and what each row is, in plain Python."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from typing import Any

import asyncpg

from db.tables.organization import ORGANIZATION_KINDS
from db.tables.risk import ALERT_LEVELS, ALERT_RULES
from db.tables.team import TEAM_ROLES
from schema.names import snake
from tests.laws.addresses import mask_address
from tests.laws.dispute_rows import add_dispute, add_event
from tests.laws.random_rows import RandomRows, Record

_ENDED = {"CLOSED", "ARCHIVED", "DECLINED", "FAILED", "WITHDRAWN", "REFUSED"}
_OF_DISPUTE = (
    "state", "tier", "risk_level", "county_code", "town_code", "community_code", "grid_code", "team_id", "squad_id", "centre_id",
    "committee_id", "source_organization_id",
)  # fmt: skip
_OWN = {
    "Area": ("code",),
    "Organization": ("id", "area_code", "kind"),
    "Compound": ("grid_code", "town_code"),
    "Person": ("id",),
    "Appointment": ("role", "person_id", "organization_id", "area_code"),
    "Mediator": ("person_id", "organization_id"),
    "Team": ("grid_code", "town_code", "county_code", "id"),
    "TeamMember": ("team_id", "person_id"),
    "Party": ("supplied_by_id", "side", "is_natural_person"),
    "Session": ("is_joint",),
    "Attendance": ("organization_id",),
    "Note": ("visibility", "author_id"),
    "Agreement": ("form",),
    "Confirmation": ("court_id",),
    "Referral": ("organization_id", "from_organization_id", "kind"),
    "Event": ("actor_id",),
    "PolicyVersion": ("author_id",),
    "Alert": ("handler_id",),
    "Escalation": ("organization_id",),
    "Opinion": ("author_id", "organization_id"),
    "Inspection": ("grid_code", "town_code", "county_code", "person_id"),
    "Visit": ("visitor_id",),
    "Factor": ("author_id",),
}
_COMPUTED = {"community_code", "town_code", "county_code", "hours_to_restore", "digest"}


class Dataset(RandomRows):
    """A small county of random rows. Nothing is read back from the database: attributes, derived fields and masks are computed from
    the rows."""

    def __init__(self, seed: int, disputes: int = 60) -> None:
        super().__init__(seed)
        self._places()
        self._people()
        for _ in range(disputes):
            add_dispute(self)
        for number in range(4):
            self._version(number + 1)
        for _ in range(10):
            add_event(self, None)
            grid = str(self.pick("Compound")["grid_code"])
            self.add(
                "Inspection", grid_code=grid, person_id=self.pick("Person")["id"], inspected_on=self.day(),
                found_count=self.random.randint(0, 3), repeated=True, note=self.maybe(self.words()),
            )  # fmt: skip
        self.by_id = {(resource, row["id"]): row for resource, rows in self.rows.items() for row in rows}

    def _places(self) -> None:
        for county in ("990101", "990102"):
            self.add("Area", code=county, name=f"县{county}", level="COUNTY", parent_code=None)
            for town in ("001", "002"):
                self.add("Area", code=county + town, name=f"镇{town}", level="TOWN", parent_code=county)
                community = county + town + "001"
                self.add("Area", code=community, name="社区", level="COMMUNITY", parent_code=county + town)
                for grid in ("001", "002"):
                    self.add("Area", code=community + grid, name=f"网格{grid}", level="GRID", parent_code=community)
        for index, kind in enumerate(ORGANIZATION_KINDS):
            self.add(
                "Organization", kind=kind, name=f"机构{index}", short_name=self.maybe("简称"), phone=self.maybe(self.phone()),
                area_code=self.code(), parent_id=None,
            )  # fmt: skip
        for rule in ALERT_RULES[:6]:
            self.add(
                "AlertRule", rule=rule, label=self.words(), level=self.random.choice(ALERT_LEVELS),
                legal_basis=self.maybe(self.words()), parameters="{}", enabled=self.chance(0.8),
            )  # fmt: skip
        for index in range(3):
            self.add("Company", name=f"物业{index}", credit_code=f"9199{index:014}", phone=self.maybe(self.phone()))
        for area in [one for one in self.rows["Area"] if one["level"] == "GRID"]:
            self.add(
                "Compound", name=f"小区{self.serial()}", address=self.address(), households=self.random.randint(0, 900),
                grid_code=area["code"], town_code=area["code"][:9], company_id=self.maybe(self.pick("Company")["id"]),
            )  # fmt: skip

    def _people(self) -> None:
        for _ in range(10):
            self.add("Person", name=self.name(), phone=self.maybe(self.phone()), state="ACTIVE")
        for person in self.rows["Person"]:
            for _ in range(self.random.randint(0, 2)):
                self.add(
                    "Appointment", role=self.random.choice(("mediator", "court")), valid_from=self.today - dt.timedelta(days=99),
                    valid_to=self.maybe(self.day()), person_id=person["id"],
                    organization_id=self.pick("Organization")["id"], area_code=self.code(),
                )  # fmt: skip
            if self.chance(0.7):
                self.add(
                    "Mediator", hired_as="HIRED", full_time=self.chance(0.5), specialty=self.maybe(self.words()),
                    qualified_on=self.day(), term_ends_on=self.maybe(self.day()), person_id=person["id"],
                    organization_id=self.pick("Organization")["id"],
                )  # fmt: skip
        grids = [one["code"] for one in self.rows["Area"] if one["level"] == "GRID"]
        for index, grid in enumerate(grids):
            team = self.add(
                "Team", name=f"团队{index}", state="ACTIVE", formed_on=self.today - dt.timedelta(days=200), dissolved_on=None,
                grid_code=grid,
            )  # fmt: skip
            for role in TEAM_ROLES:
                self.add(
                    "TeamMember", role=role, valid_from=self.today - dt.timedelta(days=100), valid_to=None, team_id=team["id"],
                    person_id=self.pick("Person")["id"],
                )  # fmt: skip

    def _version(self, number: int) -> None:
        """A version of the policy; its text is read here, not compiled. The first is live."""
        text, waiting = self.words(), number > 1
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.add(
            "PolicyVersion", version=number, text=text, sha256=digest, tests=self.maybe(self.words()), proof_sha256="",
            digest=hashlib.sha256(bytes.fromhex(digest)).hexdigest(), state="DRAFT" if waiting else "PUBLISHED",
            note=self.maybe(self.words()), rollback=False, green=self.chance(0.5), cases=number, mutants=number,
            failures=[], survivors=[self.words()], widens=self.chance(0.5), differences=[self.words(), self.words()],
            gains=[], organization_ids=[], approvals_needed=1, author_id=self.pick("Person")["id"] if waiting else None,
            created_at=self.instant(90), published_at=None if waiting else self.instant(9),
        )  # fmt: skip

    async def insert(self, connection: asyncpg.Connection[Any]) -> None:
        """Put the rows into an empty, migrated database, as its owner. Checks and unique keys hold; the triggers, which guard
        how a row comes to be, are not asked."""
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica")
            # What a new installation brings along is not of this world.
            await connection.execute("DELETE FROM alert_rule")
            for resource, rows in self.rows.items():
                names = [name for name in rows[0] if name not in _COMPUTED]
                marks = ", ".join(f"${number}" for number in range(1, len(names) + 1))
                await connection.executemany(
                    f"INSERT INTO {snake(resource)} ({', '.join(names)}) VALUES ({marks})",
                    [[row[name] for name in names] for row in rows],
                )
            await connection.execute("SELECT tally_rebuild()")
        await connection.execute("ANALYZE")

    def attributes(self, resource: str, row: Record) -> Record:
        """Everything that a condition may say of a row; None for what it has not, a set for what may be several."""
        above = {"town_code": 9, "county_code": 6}
        found = {name: row[name] if name in row else row["grid_code"][: above[name]] for name in _OWN.get(resource, ())}
        dispute = row if resource == "Dispute" else self.by_id.get(("Dispute", row.get("dispute_id")))
        if resource == "Dispute" or "dispute_id" in row:
            found |= self._of_dispute(dispute)
        if resource == "Assignment":
            found["is_presiding"] = row["is_lead"] and row["ended_at"] is None
        if resource in ("Session", "Attendance", "Note"):
            session = row["id"] if resource == "Session" else row["session_id"]
            found["attending_organization_ids"] = {
                one["organization_id"]
                for one in self.parts("Attendance", row["dispute_id"])
                if one["session_id"] == session
            }
        return found

    def _of_dispute(self, dispute: Record | None) -> Record:
        if dispute is None:
            # An event that has to do with no dispute has none of a dispute's attributes.
            sets = ("mediator_ids", "referred_organization_ids", "confirming_court_ids")
            empty = dict.fromkeys((*_OF_DISPUTE, "lead_mediator_id", "is_open", "is_recent"))
            return {**empty, **dict.fromkeys(sets, frozenset())}
        active = [one for one in self.parts("Assignment", dispute["id"]) if one["ended_at"] is None]
        sent = [one for one in self.parts("Referral", dispute["id"]) if one["state"] != "WITHDRAWN"]
        closed = dispute["closed_at"]
        return {
            **{name: dispute[name] for name in _OF_DISPUTE},
            "lead_mediator_id": next((one["person_id"] for one in active if one["is_lead"]), None),
            "is_open": dispute["state"] not in _ENDED,
            "is_recent": closed is None or closed > self.now - dt.timedelta(days=30),
            "mediator_ids": {one["person_id"] for one in active},
            "referred_organization_ids": {one["organization_id"] for one in sent},
            "confirming_court_ids": {one["organization_id"] for one in sent if one["kind"] == "CONFIRMATION"},
        }

    def is_interested(self, dispute_id: Any, person_id: Any) -> bool:
        """Whether a party of the dispute, who has not left it, is the person, their employer, or a mediator of their organization."""
        person = self.by_id.get(("Person", person_id))
        if person is None:
            return False
        registered = [one["organization_id"] for one in self.rows["Mediator"] if one["person_id"] == person_id]
        posts = [one["organization_id"] for one in self.rows["Appointment"] if one["person_id"] == person_id]
        employers = {self.by_id["Organization", one]["name"] for one in registered + posts}
        colleagues = [one["person_id"] for one in self.rows["Mediator"] if one["organization_id"] in registered]
        phones = {self.by_id["Person", one]["phone"] for one in colleagues} - {None}
        for party in self.parts("Party", dispute_id):
            if party["withdrawn_on"] is not None:
                continue
            company = self.by_id.get(("Company", party["company_id"]))
            same_phone = party["phone"] is not None and party["phone"] == person["phone"]
            unlike = party["phone"] is not None and person["phone"] is not None
            namesake = party["is_natural_person"] and party["name"] == person["name"] and not unlike
            employs = party["name"] in employers or (company is not None and company["name"] in employers)
            if same_phone or namesake or employs or (party["is_natural_person"] and party["phone"] in phones):
                return True
        return False

    def value(self, resource: str, row: Record, field: str) -> Any:
        """A field in clear. To whoever adds a derived field: say here what it is."""
        match resource, field:
            case "Mediator", "name":
                return self.by_id["Person", row["person_id"]]["name"]
            case "Attendance", "present":
                return True
            case "Event", "late_days":
                happened = row["happened_at"]
                return None if happened is None else max(0, (row["at"] - happened).days)
            case "Alert", "legal_basis":
                return next((one["legal_basis"] for one in self.rows["AlertRule"] if one["rule"] == row["rule"]), None)
            case "Dispute", "overdue":
                return (
                    row["due_on"] is not None
                    and row["due_on"] < self.today
                    and row["state"] in ("ACCEPTED", "MEDIATING")
                )
            case "Obligation", "overdue":
                return row["due_on"] < self.today and row["state"] in ("PENDING", "PARTLY_PERFORMED")
            case "Obligation", "watched":
                return row["state"] in ("PENDING", "PARTLY_PERFORMED")
            case "Obligation", "remind_today":
                return row["state"] in ("PENDING", "PARTLY_PERFORMED") and (row["due_on"] - self.today).days in (
                    3,
                    0,
                    -1,
                )
            case "FollowUp", "overdue":
                return row["due_on"] < self.today and row["done_at"] is None
        return row[field]

    def masked(self, resource: str, row: Record, field: str, mask: str) -> Any:
        """A field through its mask."""
        value = self.value(resource, row, field)
        if (
            value is None
            or mask == "stored"
            or ((resource, field) == ("Party", "name") and not row["is_natural_person"])
        ):
            return value
        return {"name": mask_name, "phone": mask_phone, "address": mask_address}[mask](value)


def mask_name(value: str) -> str:
    """The family name and as many stars as do not tell a long name from a short one."""
    return value[:1] + "*" * min(len(value) - 1, 2) if len(value) > 1 else "*" * len(value)


def mask_phone(value: str) -> str:
    """A mobile number without its middle, a landline without the start of its own part, anything else not at all."""
    if re.fullmatch(r"1\d{10}", value, re.ASCII):
        return f"{value[:3]}****{value[7:]}"
    if re.fullmatch(r"0(10|2\d|[3-9]\d\d)-\d{7,8}", value, re.ASCII):
        area, _, own = value.partition("-")
        return f"{area}-{'*' * (len(own) - 2)}{own[-2:]}"
    return "*" * len(value)
