"""The examples of commands that are not offered on a case: each is carried out once, as a client writes it. The others: tests/laws/test_can.py."""

from typing import Any

import pytest
import pytest_asyncio

from db.commands import COMMANDS
from db.postgres.address import Address
from db.write.example import NOW, Placeholder, complete
from schema.mutation import field_name
from tests.laws.examples import SPARE_GRID, Examples
from tests.laws.test_can import of_case
from tests.office import Office, key_of, now, open_office

NEWCOMER, SECOND = "新来人", "方志平"


class Carried:
    """Carries examples out on one office, and notes which."""

    def __init__(self, office: Office) -> None:
        self.office, self.examples = office, Examples(office)
        self.names: set[str] = set()

    async def out(self, who: str, name: str, shown: str = "id", **row: Any) -> Any:
        """The object after the example of a command. `row`: columns that the placeholders stand for."""
        command = COMMANDS[name]
        values = await self.examples.of_new(command, now(), **row)
        self.names.add(name)
        return await self.office.must(who, field_name(command), shown=shown, **values)


@pytest_asyncio.fixture(loop_scope="session")
async def carried(own_county: Address) -> Any:
    """On a county of this test alone, with somebody who has no post yet, and a second security administrator."""
    async with open_office(own_county) as office:
        await office.execute("INSERT INTO person (name) VALUES ($1), ($2)", NEWCOMER, SECOND)
        await office.execute(
            "INSERT INTO appointment (role, valid_from, person_id, organization_id, area_code)"
            " SELECT a.role, a.valid_from, $2, a.organization_id, a.area_code FROM appointment a WHERE a.person_id = $1",
            await office.person("security_admin"),
            await office.person(SECOND),
        )
        yield Carried(office)


async def test_examples_beside_the_cases_succeed(carried: Carried) -> None:
    case = await carried.office.accepted()
    await carried.out("mediator", "dispute.register")
    await carried.out("mediator", "party.reveal", id=case.applicant)
    await carried.out("grid_worker", "inspection.record")
    await carried.out("mediator", "visit.record", **{"that the caller sees": case.key})
    await _teams(carried)
    await _posts(carried)
    await _policies(carried)
    assert carried.names == {command.name for command in COMMANDS.values() if not of_case(command)}


async def _teams(carried: Carried) -> None:
    team = await carried.office.value("SELECT id FROM team WHERE grid_code = $1 AND state = 'ACTIVE'", SPARE_GRID)
    await carried.out("justice_office", "team.dissolve", id=team)
    made = await carried.out("justice_office", "team.form")
    await carried.out("justice_office", "team.replace", id=key_of(made["id"]))


async def _posts(carried: Carried) -> None:
    """Granted to somebody new, delegated to another, ended; an account suspended and restored."""
    office = carried.office
    newcomer = await office.person(NEWCOMER)
    post = await office.row(
        "SELECT * FROM appointment WHERE person_id = $1 AND role = 'justice_office'",
        await office.person("justice_office"),
    )
    place = {
        "of the policy": post["role"],
        "where the appointment is": post["organization_id"],
        "of the area of the appointment": post["area_code"],
    }
    made = await carried.out("security_admin", "appointment.grant", **{"somebody else": newcomer}, **place)
    await carried.out(
        "security_admin",
        "appointment.delegate",
        id=key_of(made["id"]),
        **{"somebody else": await office.person("court")},
    )
    await carried.out("security_admin", "appointment.end", id=key_of(made["id"]))
    await carried.out("system_admin", "person.suspend", id=newcomer)
    await carried.out("system_admin", "person.restore", id=newcomer)


async def _policies(carried: Carried) -> None:
    first = await carried.office.value("SELECT id FROM policy_version WHERE state = 'PUBLISHED'")
    draft = await carried.out("security_admin", "policy.draft", shown="id digest green gains approvalsNeeded")
    assert (draft["green"], draft["gains"], draft["approvalsNeeded"]) == (True, [], 1)
    key = key_of(draft["id"])
    await carried.out("bureau_admin", "policy.approve", id=key, **{"the digest of the version": draft["digest"]})
    await carried.out("security_admin", "policy.publish", id=key)
    await carried.out("security_admin", "policy.rollback", id=first)


def test_an_example_is_checked_when_its_command_is_registered() -> None:
    """No field that the input has not, none that it needs left out; the row and the time are added."""
    accept = COMMANDS["dispute.accept"]
    assert accept.example == {"id": Placeholder("Dispute", "the row"), "happened_at": NOW}
    with pytest.raises(ValueError, match="lacks"):
        complete(accept.input_type, {})
    with pytest.raises(ValueError, match="unknown"):
        complete(accept.input_type, {**accept.example, "reason": "x"})
