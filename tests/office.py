"""Carries out commands for tests as people do: a mutation through documents, gate and command executor, on a demo county of one's own.

`office.do("mediator", "disputeAccept", id=case.key)`: the person is a role (its principal) or a name; input names are in snake case,
UUIDs become global ids, `happened_at` is now unless given. Times of a fresh case lie ten days back; what is told so late says why.
"""

import dataclasses
import datetime as dt
import typing
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

from db.county.people import PRINCIPALS, SEED_GRID
from db.postgres.address import Address
from db.write.chronology import LATE_AFTER_DAYS
from schema.mutation import COMMAND_OF
from schema.names import camel
from tests.laws.client import GraphQLClient, Response, open_client
from tests.words import raw_codes

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ID_NUMBERS = ("371525190001010016", "371525190001010024")


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def key_of(identifier: str) -> UUID:
    """The UUID of a global id."""
    return UUID(identifier.partition(":")[2])


@dataclasses.dataclass(frozen=True)
class Done:
    """The result of one mutation. `shown`: the payload's object; `user_errors`: (field, code) of each."""

    response: Response
    payload: dict[str, Any] | None
    shown: Any

    @property
    def user_errors(self) -> list[tuple[str, str]]:
        return [(one["field"], one["code"]) for one in self.payload["userErrors"]] if self.payload else []

    @property
    def ok(self) -> bool:
        """Whether it is stored."""
        return (
            not self.response.errors
            and self.payload is not None
            and not self.user_errors
            and not self.payload["conflict"]
        )

    @property
    def codes(self) -> list[str]:
        """The codes of user errors and of GraphQL errors."""
        return [code for _, code in self.user_errors] + self.response.codes


@dataclasses.dataclass(frozen=True)
class Case:
    """A fresh dispute with one applicant and one respondent. `started`: when it was registered."""

    key: UUID
    applicant: UUID | None
    respondent: UUID | None
    started: dt.datetime


@dataclasses.dataclass
class Office:
    """One process on a county that the tests may change, and a connection as the owner of the database beside it."""

    gql: GraphQLClient
    _compounds: list[UUID] = dataclasses.field(default_factory=list)

    # -- doing

    async def do(self, who: str, mutation: str, /, shown: str = "id", and_show: str = "", **given: Any) -> Done:
        """One mutation. `shown`: the selection of the payload's object; `and_show`: more of the payload."""
        command = COMMAND_OF[mutation]
        if "happened_at" not in given and any(
            one.name == "happened_at" for one in dataclasses.fields(command.input_type)
        ):
            given["happened_at"] = now()
        at = given.get("happened_at")
        if isinstance(at, dt.datetime) and now() - at > LATE_AFTER_DAYS * DAY:
            # Old cases are brought in as people bring them in: with the reason.
            given.setdefault("late_reason", "补录旧案")
        noun = command.shows[0].lower() + command.shows[1:]
        title = mutation[0].upper() + mutation[1:]
        text = (
            f"mutation($i: {title}Input!) {{ {mutation}(input: $i) {{ {noun} {{ {shown} }} {and_show} replayed"
            " userErrors { field code message } conflict { currentVersion } } }"
        )
        response = await self.gql.ask(name_of(who), text, i=_input(command.input_type, given))
        payload = response.data[mutation] if response.data else None
        for error in payload["userErrors"] if payload else ():
            assert not raw_codes(error["message"]), error
        return Done(response, payload, payload[noun] if payload else None)

    async def must(self, who: str, mutation: str, /, shown: str = "id", **given: Any) -> Any:
        """The object after a mutation that must be stored."""
        done = await self.do(who, mutation, shown=shown, **given)
        assert done.ok, (mutation, done.response.errors, done.payload)
        return done.shown

    async def can(self, who: str, case: Case, kind: str = "Dispute", key: UUID | None = None) -> list[str]:
        """`access.can` of a row (the case itself, or another by its key); [] where the person does not see it."""
        query = "query($id: ID!) { node(id: $id) { access { can } } }"
        response = await self.gql.ask(name_of(who), query, id=f"{kind}:{key or case.key}")
        return response.data["node"]["access"]["can"] if response.data["node"] else []

    # -- looking, as the owner of the database

    async def value(self, sql: str, *values: Any) -> Any:
        return await self.gql.connection.fetchval(sql, *values)

    async def row(self, sql: str, *values: Any) -> Any:
        return await self.gql.connection.fetchrow(sql, *values)

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        return list(await self.gql.connection.fetch(sql, *values))

    async def execute(self, sql: str, *values: Any) -> None:
        await self.gql.connection.execute(sql, *values)

    async def dispute(self, case: Case) -> Any:
        """The row of a case."""
        return await self.row("SELECT * FROM dispute WHERE id = $1", case.key)

    async def events(self, case: Case, action: str | None = None) -> list[Any]:
        """The events of a case in the order of recording, of one action or all."""
        return await self.rows(
            "SELECT * FROM event WHERE dispute_id = $1 AND ($2::text IS NULL OR action = $2) ORDER BY at, id",
            case.key,
            action,
        )

    async def person(self, who: str) -> UUID:
        """The person of a role or name."""
        return UUID(str(await self.value("SELECT id FROM person WHERE name = $1", name_of(who))))

    async def organization(self, kind: str, area: str = SEED_GRID[:9]) -> UUID:
        """An organization of a kind (POLICE_STATION, COURT, SQUAD ...), that of 崇文街道 where there is one."""
        return UUID(
            str(
                await self.value(
                    "SELECT id FROM organization WHERE kind = $1 ORDER BY area_code = $2 DESC, name LIMIT 1", kind, area
                )
            )
        )

    # -- fresh cases in the seed grid

    async def register(self, who: str = "mediator", started: dt.datetime | None = None, **given: Any) -> Case:
        """A fresh dispute; registered by the mediator, who thereby takes the lead."""
        started = started or now() - 10 * DAY
        if not self._compounds:
            found = await self.rows("SELECT id FROM compound WHERE grid_code = $1 ORDER BY name", SEED_GRID)
            self._compounds = [one["id"] for one in found]
        parties = [
            {"side": "APPLICANT", "kind": "OWNER", "name": "李龙", "phone": "13800000000", "id_number": ID_NUMBERS[0]},
            {"side": "RESPONDENT", "kind": "COMPANY", "name": "聊城示例物业服务有限公司", "phone": "0635-0000099"},
        ]
        values = {
            "title": "物业费争议",
            "compound_id": self._compounds[0],
            "sub_category": "P01",
            "source": "INITIATIVE",
            "summary": "对物业费有争议。",
            "happened_at": started,
            "parties": parties,
            **given,
        }
        shown = await self.must(who, "disputeRegister", **values)
        key = key_of(shown["id"])
        sides = {
            one["side"]: one["id"] for one in await self.rows("SELECT id, side FROM party WHERE dispute_id = $1", key)
        }
        return Case(key, sides.get("APPLICANT"), sides.get("RESPONDENT"), started)

    async def accepted(self, started: dt.datetime | None = None, **given: Any) -> Case:
        """A fresh dispute: registered by the mediator, accepted an hour later and its parties told after two."""
        case = await self.register(started=started, **given)
        await self.must("mediator", "disputeAccept", id=case.key, happened_at=case.started + HOUR)
        await self.must("mediator", "disputeNotify", id=case.key, happened_at=case.started + 2 * HOUR)
        return case

    async def mediating(self, started: dt.datetime | None = None, **given: Any) -> Case:
        """The same with the consent of both parties after three hours."""
        case = await self.accepted(started, **given)
        for party in (case.applicant, case.respondent):
            await self.must(
                "mediator", "disputeConsent", id=case.key, party_id=party, happened_at=case.started + 3 * HOUR
            )
        return case

    async def talk(self, case: Case, at: dt.datetime | None = None) -> None:
        """A session of mediation, four hours after the registration unless a time is given."""
        await self.must(
            "mediator", "disputeRecord", id=case.key, place="调解室", result="AGREED", record="双方谈成。",
            happened_at=at or case.started + 4 * HOUR,
        )  # fmt: skip

    async def sign(self, agreement: UUID, at: dt.datetime, shown: str = "id", **given: Any) -> Any:
        """A signature that must be stored: the seal by the justice office, the others by the mediator."""
        who = "justice_office" if given["kind"] == "SEAL" else "mediator"
        return await self.must(who, "agreementSign", shown=shown, id=agreement, happened_at=at, **given)

    async def at_tier(self, case: Case, tier: str) -> None:
        """Put a case into a tier (TEAM, SQUAD, CENTRE) of the principals' squad and centre, past all commands."""
        for role, column in (("squad_member", "squad_id"), ("centre_staff", "centre_id")):
            if tier == "CENTRE" or (tier == "SQUAD" and column == "squad_id"):
                office = await self.value(
                    "SELECT organization_id FROM appointment WHERE role = $1 AND person_id = $2",
                    role,
                    await self.person(role),
                )
                await self.execute(f"UPDATE dispute SET {column} = $2 WHERE id = $1", case.key, office)
        await self.execute("UPDATE dispute SET tier = $2 WHERE id = $1", case.key, tier)


def name_of(who: str) -> str:
    return PRINCIPALS.get(who, who)


def _input(input_type: Any, given: dict[str, Any]) -> dict[str, Any]:
    fields = {one.name: one for one in dataclasses.fields(input_type)}
    hints = typing.get_type_hints(input_type)
    return {camel(name): _value(value, fields.get(name), hints.get(name)) for name, value in given.items()}


def _value(value: Any, field: Any, hint: Any) -> Any:
    match value:
        case UUID():
            return f"{field.metadata['of']}:{value}"
        case dt.datetime() | dt.date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case dict():
            inner = next(one for one in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(one))
            return _input(inner, value)
        case list() | tuple():
            return [_value(one, field, hint) for one in value]
    return value


@asynccontextmanager
async def open_office(address: Address) -> AsyncIterator[Office]:
    """An office on a database that holds the demo county."""
    async with open_client(address) as gql:
        yield Office(gql)
