"""A small invented world for the laws: random rows in which every constraint holds, and what each row is, in plain Python.

Nothing here is read back from the database: attributes, derived fields and masks are worked out from the rows that were made.
"""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import random
import re
import uuid
from collections import defaultdict
from typing import Any

import asyncpg

from db.calendar import COUNTY_TIME
from db.tables import metadata
from db.tables.dispute import CATEGORIES, RISK_LEVELS, STATES, SUB_CATEGORIES
from db.tables.dispute import SOURCES as ORIGINS
from db.tables.follow_up import FOLLOW_UP_METHODS, FOLLOW_UP_RESULTS
from db.tables.measure import MEASURE_KINDS
from db.tables.obligation import OBLIGATION_KINDS, OBLIGATION_STATES, PERFORMANCE_KINDS
from db.tables.organization import ORGANIZATION_KINDS
from db.tables.party import CONSENTS, PARTY_KINDS, SIDES
from db.tables.referral import REFERRAL_KINDS, REFERRAL_STATES
from db.tables.risk import ALERT_LEVELS, ALERT_RULES
from db.tables.session import SESSION_RESULTS, VISIBILITIES
from db.tables.team import TEAM_ROLES
from db.tables.visit import FACTOR_KINDS, SEVERITIES
from schema.names import snake

Record = dict[str, Any]

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


class World:
    """The rows by resource. The seed decides all of them."""

    def __init__(self, seed: int, disputes: int = 60) -> None:
        self.random = random.Random(seed)
        self.now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        self.today = self.now.astimezone(dt.timezone(dt.timedelta(hours=8))).date()
        self.rows: dict[str, list[Record]] = defaultdict(list)
        self._parts: dict[tuple[str, uuid.UUID], list[Record]] = defaultdict(list)
        self._serial = 0
        self._places()
        self._people()
        for _ in range(disputes):
            self._dispute()
        for number in range(4):
            self._version(number + 1)
        for _ in range(10):
            self._event(None)
            grid = str(self.pick("Compound")["grid_code"])
            self.add(
                "Inspection", grid_code=grid, person_id=self.pick("Person")["id"], inspected_on=self._day(),
                found_count=self.random.randint(0, 3), note=self._maybe(self._words()),
            )  # fmt: skip
        self.by_id = {(resource, row["id"]): row for resource, rows in self.rows.items() for row in rows}

    # -- making

    def add(self, resource: str, /, **row: Any) -> Record:
        """One more row, with an id."""
        table = metadata.tables[snake(resource)]
        assert row.keys() <= set(table.c.keys()), resource
        empty = {column.name: None for column in table.c if column.nullable and column.server_default is None}
        made = {**empty, "id": uuid.UUID(int=self.random.getrandbits(128), version=4), **row}
        self.rows[resource].append(made)
        if made.get("dispute_id") is not None:
            self._parts[resource, made["dispute_id"]].append(made)
        return made

    def parts(self, resource: str, dispute_id: Any) -> list[Record]:
        """The rows of a dispute."""
        return self._parts.get((resource, dispute_id), [])

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _maybe(self, value: Any, share: float = 0.6) -> Any:
        return value if self._chance(share) else None

    def _number(self) -> int:
        self._serial += 1
        return self._serial

    def _instant(self, days: int) -> dt.datetime:
        return self.now - dt.timedelta(days=self.random.randint(1, days), seconds=self.random.randint(0, 80_000))

    def _day(self) -> dt.date:
        """Some weeks before or after today, never about today: the tests may run past midnight."""
        return self.today + dt.timedelta(days=self.random.choice((-1, 1)) * self.random.randint(3, 60))

    def _money(self) -> decimal.Decimal:
        return decimal.Decimal(self.random.randint(0, 9_999_999)).scaleb(-2)

    def _phone(self) -> str:
        digits = "".join(self.random.choices("0123456789", k=8))
        return self.random.choice((f"139{digits}", f"0635-{digits[:7]}", f"010-{digits}", digits[:5], "12345-1", ""))

    def _name(self) -> str:
        return "".join(self.random.choices("张王李赵陈杨刘黄欧阳", k=self.random.choice((1, 2, 2, 3, 3, 4))))

    def _words(self) -> str:
        return "".join(self.random.choices("物业费电梯漏水车位停暖噪声协商", k=self.random.randint(2, 9)))

    def _address(self) -> str:
        return self.random.choice(("幸福里3号楼2单元501室", "滨河路一百零二号", "Ａ区12栋b座", "老街", "柳树巷７号"))

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
                "Organization", kind=kind, name=f"机构{index}", short_name=self._maybe("简称"), phone=self._maybe(self._phone()),
                area_code=self.code(), parent_id=None,
            )  # fmt: skip
        for rule in ALERT_RULES[:6]:
            self.add(
                "AlertRule", rule=rule, label=self._words(), level=self.random.choice(ALERT_LEVELS),
                legal_basis=self._maybe(self._words()), parameters="{}", enabled=self._chance(0.8),
            )  # fmt: skip
        for index in range(3):
            self.add("Company", name=f"物业{index}", credit_code=f"9199{index:014}", phone=self._maybe(self._phone()))
        for area in [one for one in self.rows["Area"] if one["level"] == "GRID"]:
            self.add(
                "Compound", name=f"小区{self._number()}", address=self._address(), households=self.random.randint(0, 900),
                grid_code=area["code"], town_code=area["code"][:9], company_id=self._maybe(self.pick("Company")["id"]),
            )  # fmt: skip

    def _people(self) -> None:
        for _ in range(10):
            self.add("Person", name=self._name(), phone=self._maybe(self._phone()), state="ACTIVE")
        for person in self.rows["Person"]:
            for _ in range(self.random.randint(0, 2)):
                self.add(
                    "Appointment", role=self.random.choice(("mediator", "court")), valid_from=self.today - dt.timedelta(days=99),
                    valid_to=self._maybe(self._day()), person_id=person["id"],
                    organization_id=self.pick("Organization")["id"], area_code=self.code(),
                )  # fmt: skip
            if self._chance(0.7):
                self.add(
                    "Mediator", hired_as="HIRED", full_time=self._chance(0.5), specialty=self._maybe(self._words()),
                    qualified_on=self._day(), term_ends_on=self._maybe(self._day()), person_id=person["id"],
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

    def pick(self, resource: str) -> Record:
        """One of the rows."""
        return self.random.choice(self.rows[resource])

    def code(self) -> str:
        """The code of one of the areas, more often a small one."""
        return str(self.pick("Area")["code"])

    def _dispute(self) -> None:
        chance, pick = self.random, self.pick
        compound, number = pick("Compound"), self._number()
        grid, state = compound["grid_code"], chance.choice(STATES)
        registered = self._instant(300)
        accepted = state not in ("REGISTERED", "DECLINED")
        closed = None
        if state in ("CLOSED", "ARCHIVED") or (accepted and self._chance(0.2)):
            # Well before or after the thirtieth day.
            closed = self.now - dt.timedelta(days=chance.choice((2, 10, 28, 33, 90)))
            registered = min(registered, closed - dt.timedelta(days=1))
        organization = self._maybe(pick("Organization")["id"], 0.5)
        tier = chance.choice(("TEAM", "TEAM", "SQUAD", "CENTRE"))
        team = next(one for one in self.rows["Team"] if one["grid_code"] == grid)
        row = self.add(
            "Dispute",
            case_number=f"（2025）调字第{number}号" if accepted else None, title=self._words(), category=chance.choice(CATEGORIES),
            sub_category=chance.choice(SUB_CATEGORIES), source=chance.choice(ORIGINS), state=state, tier=tier,
            risk_level=chance.choice(RISK_LEVELS), amount_claimed=self._maybe(self._money()), people_count=chance.randint(0, 9),
            summary=self._words(), public_summary=self._maybe(self._words()), occurred_on=self._maybe(self._day()),
            registered_at=registered, accepted_at=registered + dt.timedelta(hours=1) if accepted else None,
            due_on=self._maybe(max(self._day(), registered.astimezone(COUNTY_TIME).date())),
            concluded_at=closed - dt.timedelta(hours=1) if closed else None, closed_at=closed,
            outcome=self._maybe(self._words()), external_ref=self._maybe(f"ref-{number}"), version=chance.randint(1, 9),
            committee_id=pick("Organization")["id"] if accepted else self._maybe(pick("Organization")["id"]),
            case_year=2025 if accepted else None, case_sequence=number if accepted else None, grid_code=grid,
            community_code=grid[:12], town_code=grid[:9], county_code=grid[:6], compound_id=compound["id"],
            team_id=self._maybe(team["id"], 0.8),
            squad_id=pick("Organization")["id"] if tier == "SQUAD" or self._chance(0.2) else None,
            centre_id=pick("Organization")["id"] if tier == "CENTRE" or self._chance(0.2) else None,
            source_organization_id=organization, previous_id=None, notified_at=self._maybe(registered),
            utility_cut=self._maybe("WATER", 0.2), advice=self._maybe(self._words(), 0.2),
        )  # fmt: skip
        self._linked(row)
        self._settled(row)

    def _linked(self, dispute: Record) -> None:
        """Who has to do with it: parties, mediators, agencies, sessions and notes."""
        of, chance, pick = dispute["id"], self.random, self.pick
        for index in range(chance.randint(1, 3)):
            number, consent = self._maybe("990101********123X", 0.5), self._maybe(chance.choice(CONSENTS))
            self.add(
                "Party", dispute_id=of, side=SIDES[index], kind=chance.choice(PARTY_KINDS), is_natural_person=self._chance(0.7),
                name=self._name(), is_alias=self._chance(0.1), phone=self._maybe(self._phone()),
                address=self._maybe(self._address()), id_number=number, id_number_cipher=b"c" if number else None,
                id_number_hash=b"h" if number else None, credit_code=self._maybe("91990000000000000X", 0.2),
                agent_name=self._maybe(self._name(), 0.3), agent_powers=self._maybe(self._words(), 0.3),
                withdrawn_on=self._maybe(self._day(), 0.1), is_minor=self._chance(0.1), consent=consent,
                consent_on=self._day() if consent else None, supplied_by_id=self._maybe(pick("Organization")["id"]),
                company_id=self._maybe(pick("Company")["id"], 0.3),
            )  # fmt: skip
        mediators = chance.sample(self.rows["Mediator"], chance.randint(0, 3))
        for index, mediator in enumerate(mediators):
            begun = self._instant(200)
            self.add(
                "Assignment", dispute_id=of, dispute_registered_at=dispute["registered_at"], person_id=mediator["person_id"],
                is_lead=index == 0 and self._chance(0.8), mode="APPOINTED", assigned_at=begun,
                ended_at=self._maybe(begun + dt.timedelta(minutes=5), 0.3),
            )  # fmt: skip
        # Two referrals of one dispute may go to one organization, of different kinds.
        kinds = chance.sample(REFERRAL_KINDS, chance.randint(0, 3))
        receivers = [pick("Organization")["id"] for _ in range(2)]
        for kind in kinds:
            self.add(
                "Referral", dispute_id=of, dispute_registered_at=dispute["registered_at"], organization_id=chance.choice(receivers),
                from_organization_id=self._maybe(pick("Organization")["id"]), kind=kind, state=chance.choice(REFERRAL_STATES),
                sent_at=self._instant(100), answered_at=None, reason=self._words(), reply=self._maybe(self._words()),
            )  # fmt: skip
        for _ in range(chance.randint(0, 2)):
            session = self.add(
                "Session", dispute_id=of, held_at=self._instant(90), place=self._words(), is_joint=self._chance(0.5),
                result=self._maybe(chance.choice(SESSION_RESULTS)), record=self._maybe(self._words()),
            )  # fmt: skip
            for organization in chance.sample(self.rows["Organization"], chance.randint(0, 2)):
                self.add("Attendance", dispute_id=of, session_id=session["id"], organization_id=organization["id"])
        sessions = [one["id"] for one in self.parts("Session", of)]
        for _ in range(chance.randint(0, 3)):
            self.add(
                "Note", dispute_id=of, session_id=chance.choice([*sessions, None]), author_id=pick("Person")["id"],
                visibility=chance.choice(VISIBILITIES), recorded_at=self._instant(90), text=self._words(),
            )  # fmt: skip
        for _ in range(chance.randint(0, 1)):
            asked, hours = self._instant(90), self._maybe(chance.randint(1, 40))
            self.add(
                "Measure", dispute_id=of, kind=chance.choice(MEASURE_KINDS), requested_at=asked,
                done_at=asked + dt.timedelta(hours=hours) if hours else None, hours_to_restore=float(hours) if hours else None,
                agreed_by=self._maybe(self._name()), evidence=self._maybe(self._words()),
            )  # fmt: skip
        if self._chance(0.6):
            self._event(of)
        self._watched(of)

    def _watched(self, of: uuid.UUID) -> None:
        """What was noticed on the way: alerts, assessments, hand-overs, opinions, visits."""
        chance, person, organization = self.random, self.pick("Person")["id"], self.pick("Organization")["id"]
        for kind in chance.sample(("Alert", "Assessment", "Escalation", "Recusal", "Opinion", "Visit", "Factor"), 2):
            match kind:
                case "Alert":
                    closed = self._maybe(self._instant(9))
                    self.add(
                        kind, dispute_id=of, subject=str(of), rule=chance.choice(ALERT_RULES), level=chance.choice(ALERT_LEVELS),
                        state="CLOSED" if closed else "OPEN", message=self._words(), opened_at=self._instant(90),
                        due_on=self._maybe(self._day()), handler_id=self._maybe(person), note=self._words() if closed else None,
                        closed_at=closed,
                    )  # fmt: skip
                case "Assessment":
                    self.add(
                        kind, dispute_id=of, assessor_id=person, level=chance.choice(RISK_LEVELS), assessed_at=self._instant(90),
                        reason=self._words(), reported=self._chance(0.5),
                    )  # fmt: skip
                case "Escalation":
                    self.add(
                        kind, dispute_id=of, from_tier="TEAM", to_tier="SQUAD", state="SENT", organization_id=organization,
                        reason=self._words(), handover=self._words(), sent_at=self._instant(90),
                    )  # fmt: skip
                case "Recusal":
                    self.add(
                        kind, dispute_id=of, kind="DISCLOSURE", person_id=person, ground=self._words(),
                        occurred_at=self._instant(90),
                    )  # fmt: skip
                case "Opinion":
                    self.add(
                        kind, dispute_id=of, author_id=person, organization_id=self._maybe(organization), text=self._words(),
                        given_at=self._instant(90),
                    )  # fmt: skip
                case "Visit":
                    self.add(
                        kind, dispute_id=of, kind="HOME_VISIT", visitor_id=person, visited_at=self._instant(90),
                        note=self._words(),
                    )  # fmt: skip
                case "Factor":
                    self.add(
                        kind, dispute_id=of, author_id=person, kind=chance.choice(FACTOR_KINDS), severity=chance.choice(SEVERITIES),
                        suggestion=self._words(), noted_at=self._instant(90),
                    )  # fmt: skip

    def _settled(self, dispute: Record) -> None:
        """What came of it: agreements and their performance, visits, extensions."""
        of, chance, pick = dispute["id"], self.random, self.pick
        party = self.parts("Party", of)[0]["id"]
        for _ in range(chance.randint(0, 1)):
            agreed = self._day()
            agreement = self.add(
                "Agreement", dispute_id=of, form=chance.choice(("WRITTEN", "ORAL")), scope="FULL", state="EFFECTIVE",
                content=self._words(), agreed_on=agreed, effective_on=agreed, confirm_by_on=self._maybe(self._day()),
                copies=self._maybe(3),
            )["id"]  # fmt: skip
            self.add(
                "Signature", dispute_id=of, agreement_id=agreement, party_id=party, person_id=None, organization_id=None,
                kind="PARTY", signed_on=self._day(),
            )  # fmt: skip
            if self._chance(0.4):
                decided = self._chance(0.5)
                self.add(
                    "Confirmation", dispute_id=of, agreement_id=agreement, court_id=pick("Organization")["id"], applied_on=agreed,
                    case_number=self._maybe("（2025）民特1号"), result="CONFIRMED" if decided else None,
                    decided_on=agreed + dt.timedelta(days=1) if decided else None,
                )  # fmt: skip
            for _ in range(chance.randint(0, 2)):
                state = chance.choice(OBLIGATION_STATES)
                obligation = self.add(
                    "Obligation", dispute_id=of, agreement_id=agreement, party_id=party, kind=chance.choice(OBLIGATION_KINDS),
                    content=self._words(), amount=self._maybe(self._money()), place=self._maybe(self._words()),
                    manner=self._maybe(self._words()), due_on=self._day(), state=state,
                    performed_on=self._day() if state in ("PERFORMED", "ENFORCED") else None,
                )["id"]  # fmt: skip
                self.add(
                    "Performance", dispute_id=of, obligation_id=obligation, kind=chance.choice(PERFORMANCE_KINDS),
                    occurred_on=self._day(), recorded_at=self._instant(30), amount=self._maybe(self._money()), evidence="凭证",
                    both_confirmed=self._maybe(self._words()), method=self._maybe(chance.choice(FOLLOW_UP_METHODS)),
                    party_id=self._maybe(party), result=self._maybe(self._words()),
                )  # fmt: skip
        for _ in range(chance.randint(0, 1)):
            done = self._chance(0.5)
            self.add(
                "FollowUp", dispute_id=of, visitor_id=self._maybe(pick("Person")["id"]), due_on=self._day(),
                done_at=self._day() if done else None, method=chance.choice(FOLLOW_UP_METHODS) if done else None,
                result=chance.choice(FOLLOW_UP_RESULTS) if done else None, satisfaction=self._maybe(chance.randint(1, 5)),
                remark=self._maybe(self._words()),
            )  # fmt: skip
        if self._chance(0.2):
            day = self._day()
            self.add(
                "Extension", dispute_id=of, from_on=day, to_on=day + dt.timedelta(days=30), consented_on=day,
                recorded_at=self._instant(30),
            )  # fmt: skip

    def _version(self, number: int) -> None:
        """A version of the policy; its text is read here, not compiled. The first is live."""
        text, waiting = self._words(), number > 1
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.add(
            "PolicyVersion", version=number, text=text, sha256=digest, tests=self._maybe(self._words()), proof_sha256="",
            digest=hashlib.sha256(bytes.fromhex(digest)).hexdigest(), state="DRAFT" if waiting else "PUBLISHED",
            note=self._maybe(self._words()), rollback=False, green=self._chance(0.5), cases=number, mutants=number,
            failures=[], survivors=[self._words()], widens=self._chance(0.5), differences=[self._words(), self._words()],
            gains=[], organization_ids=[], approvals_needed=1, author_id=self.pick("Person")["id"] if waiting else None,
            created_at=self._instant(90), published_at=None if waiting else self._instant(9),
        )  # fmt: skip

    def _event(self, dispute_id: uuid.UUID | None) -> None:
        self.add(
            "Event", dispute_id=dispute_id, actor_id=self._maybe(self.pick("Person")["id"]), at=self._instant(90),
            happened_at=self._maybe(self._instant(90)), action="dispute.accept", resource="Dispute",
            resource_id=uuid.UUID(int=1), from_state=self._maybe("REGISTERED"), to_state=self._maybe("ACCEPTED"),
            fields=self._maybe("state"), reason=self._maybe(self._words()), policy_version=self._maybe(1),
            request_id=self._maybe("r-1"), changes=None,
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

    # -- what a row is

    def attributes(self, resource: str, row: Record) -> Record:
        """Everything that a condition may say of a row; None for what it has not, a set for what may be several."""
        above = {"town_code": 9, "county_code": 6}
        found = {name: row[name] if name in row else row["grid_code"][: above[name]] for name in _OWN.get(resource, ())}
        dispute = row if resource == "Dispute" else self.by_id.get(("Dispute", row.get("dispute_id")))
        if resource == "Dispute" or "dispute_id" in row:
            found |= self._of_dispute(dispute)
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

    def value(self, resource: str, row: Record, field: str) -> Any:
        """A field in clear. To whoever adds a derived field: say here what it is."""
        match resource, field:
            case "Mediator", "name":
                return self.by_id["Person", row["person_id"]]["name"]
            case "Attendance", "present":
                return True
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


def mask_address(value: str) -> str:
    """Every run of digits, letters and Chinese numerals as one star."""
    return re.sub(r"[0-9A-Za-z０-９Ａ-Ｚａ-ｚ〇零一二两三四五六七八九十百千]+", "*", value)
