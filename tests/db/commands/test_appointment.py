"""Posts and accounts: granted, ended, delegated, suspended, restored; in force from the next request on, and never for oneself."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest_asyncio

from db.county.people import PRINCIPALS, SEED_GRID
from db.postgres.address import Address
from tests.office import DAY, Office, key_of, now, open_office

TOWN = SEED_GRID[:9]
TODAY = (now() + dt.timedelta(hours=8)).date()
COUNT = "{ viewer { roles } disputes { totalCount } }"
SHOWN = "id role validFrom validTo person { id } organization { id } area { code } delegatedFrom { id } access { can }"
NEWCOMER = "新来人"


@pytest_asyncio.fixture(loop_scope="session")
async def gql(own_county: Address) -> AsyncIterator[Office]:
    """An office on a county of this test alone, with a person who has no post yet."""
    async with open_office(own_county) as office:
        await office.execute("INSERT INTO person (name) VALUES ($1)", NEWCOMER)
        yield office


async def asked(office: Office, who: str) -> tuple[set[str], int]:
    """The person's roles, and how many disputes they see."""
    data = await office.gql.data(PRINCIPALS.get(who, who), COUNT)
    return set(data["viewer"]["roles"]), data["disputes"]["totalCount"]


async def post_of(office: Office, role: str) -> Any:
    return await office.row(
        "SELECT * FROM appointment WHERE person_id = $1 AND role = $2", await office.person(role), role
    )


async def grant_values(office: Office, role: str, who: str = NEWCOMER) -> dict[str, Any]:
    """A post like that of a role's principal, for somebody."""
    post = await post_of(office, role)
    place = {"role": role, "organization_id": post["organization_id"], "area_code": post["area_code"]}
    return {"person_id": await office.person(who), "reason": "任命文件", **place}


async def test_granted_and_ended(gql: Office) -> None:
    assert await asked(gql, NEWCOMER) == (set(), 0)
    values = await grant_values(gql, "justice_office")
    made = await gql.must("security_admin", "appointmentGrant", shown=SHOWN, **values)
    assert (made["role"], made["validFrom"], made["validTo"]) == ("justice_office", TODAY.isoformat(), None)
    assert made["access"]["can"] == ["delegate", "end"]
    roles, seen = await asked(gql, NEWCOMER)
    assert roles >= {"justice_office", "worker", "everyone"}
    assert seen == (await asked(gql, "justice_office"))[1] > 0
    again = await gql.do("security_admin", "appointmentGrant", **values)
    assert again.user_errors == [("role", "DUPLICATE")]

    ended = await gql.must("security_admin", "appointmentEnd", shown=SHOWN, id=key_of(made["id"]), reason="误任")
    # Granted today and ended at once: there is no day on which it holds.
    assert ended["validTo"] == (TODAY - DAY).isoformat()
    assert await asked(gql, NEWCOMER) == (set(), 0)
    assert (await gql.do("security_admin", "appointmentEnd", id=key_of(made["id"]), reason="再")).user_errors == [
        ("id", "WRONG_STATE")
    ]
    events = await gql.rows("SELECT action, resource, reason FROM event WHERE resource = 'Appointment' ORDER BY at, id")
    assert [tuple(row) for row in events] == [
        ("appointment.grant", "Appointment", "任命文件"),
        ("appointment.end", "Appointment", "误任"),
    ]


async def test_ended_later(gql: Office) -> None:
    post = await post_of(gql, "court")
    shown = await gql.must("security_admin", "appointmentEnd", shown=SHOWN, id=post["id"], last_on=TODAY, reason="调离")
    assert shown["validTo"] == TODAY.isoformat()
    assert (await asked(gql, "court"))[1] > 0
    at_once = await gql.must("security_admin", "appointmentEnd", shown=SHOWN, id=post["id"], reason="即日")
    assert at_once["validTo"] == (TODAY - DAY).isoformat()
    assert await asked(gql, "court") == (set(), 0)


async def test_what_is_wrong_with_a_grant(gql: Office) -> None:
    values = await grant_values(gql, "court")
    wrong = await gql.do(
        "security_admin",
        "appointmentGrant",
        **{**values, "role": "king", "area_code": "99", "reason": " ", "organization_id": UUID(int=1)},
        valid_from=TODAY - DAY,
        valid_to=TODAY - 2 * DAY,
    )
    assert wrong.user_errors == [
        ("reason", "REQUIRED"),
        ("role", "NO_ROLE"),
        ("validFrom", "TOO_EARLY"),
        ("validTo", "TOO_EARLY"),
        ("organizationId", "NOT_FOUND"),
        ("areaCode", "BAD_AREA"),
    ]
    own = await gql.do(
        "security_admin", "appointmentGrant", **await grant_values(gql, "court", PRINCIPALS["security_admin"])
    )
    assert own.user_errors == [("personId", "SELF")]
    await gql.execute("UPDATE person SET state = 'SUSPENDED' WHERE name = $1", NEWCOMER)
    assert (await gql.do("security_admin", "appointmentGrant", **values)).user_errors == [("personId", "SUSPENDED")]


async def test_who_may_not(gql: Office) -> None:
    values, post = await grant_values(gql, "court"), await post_of(gql, "court")
    for who in ("system_admin", "auditor", "bureau_admin", "justice_office", "mediator"):
        done = await gql.do(who, "appointmentGrant", **values)
        assert done.codes == ["FORBIDDEN"], (who, done.payload)
    for who in ("system_admin", "bureau_admin", "mediator"):
        assert (await gql.do(who, "appointmentEnd", id=post["id"], reason="试")).codes == ["FORBIDDEN"]
        leave = {"to_person_id": await gql.person(NEWCOMER), "to_on": TODAY + DAY, "reason": "试"}
        assert (await gql.do(who, "appointmentDelegate", id=post["id"], **leave)).codes == ["FORBIDDEN"]
    for who in ("security_admin", "auditor", "bureau_admin", "mediator"):
        for mutation in ("personSuspend", "personRestore"):
            done = await gql.do(who, mutation, id=await gql.person("court"), reason="试")
            assert done.codes == ["FORBIDDEN"], (who, mutation, done.payload)
    assert await gql.value("SELECT count(*) FROM event WHERE action ~ '^(person|appointment)'") == 0


async def test_the_three_administrators_exclude_each_other(gql: Office) -> None:
    await gql.must("security_admin", "appointmentGrant", **await grant_values(gql, "auditor"))
    other = await gql.do("security_admin", "appointmentGrant", **await grant_values(gql, "system_admin"))
    assert other.user_errors == [("role", "EXCLUSIVE")]
    # By way of a leave no less, not even when both are asked for at once.
    await gql.execute("INSERT INTO person (name) VALUES ('又一人')")
    inputs = [await grant_values(gql, role, "又一人") for role in ("auditor", "system_admin")]
    done = await asyncio.gather(*(gql.do("security_admin", "appointmentGrant", **values) for values in inputs))
    assert sorted(one.user_errors for one in done) == [[], [("role", "EXCLUSIVE")]]
    post = await post_of(gql, "system_admin")
    leave = {"to_person_id": await gql.person(NEWCOMER), "to_on": TODAY + DAY, "reason": "休假"}
    assert (await gql.do("security_admin", "appointmentDelegate", id=post["id"], **leave)).user_errors == [
        ("role", "EXCLUSIVE")
    ]


async def test_delegated_for_a_leave(gql: Office) -> None:
    post = await post_of(gql, "justice_office")
    leave = {
        "id": post["id"],
        "to_person_id": await gql.person(NEWCOMER),
        "to_on": TODAY + 5 * DAY,
        "reason": "年休假",
    }
    made = await gql.must("security_admin", "appointmentDelegate", shown=SHOWN, **leave)
    assert (made["validFrom"], made["validTo"]) == (TODAY.isoformat(), (TODAY + 5 * DAY).isoformat())
    assert made["delegatedFrom"]["id"] == f"Appointment:{post['id']}"
    assert made["access"]["can"] == ["end"]
    assert (await asked(gql, NEWCOMER))[1] == (await asked(gql, "justice_office"))[1] > 0
    onwards = {**leave, "id": key_of(made["id"]), "to_person_id": await gql.person("analyst")}
    assert (await gql.do("security_admin", "appointmentDelegate", **onwards)).user_errors == [("id", "DELEGATED")]
    wrong = await gql.do(
        "security_admin",
        "appointmentDelegate",
        **{**leave, "to_person_id": post["person_id"], "from_on": TODAY - DAY, "to_on": TODAY + 400 * DAY},
    )
    assert wrong.user_errors == [("fromOn", "TOO_EARLY"), ("toOn", "TOO_LATE"), ("toPersonId", "UNCHANGED")]
    own = {**leave, "to_person_id": await gql.person("security_admin")}
    assert (await gql.do("security_admin", "appointmentDelegate", **own)).user_errors == [("toPersonId", "SELF")]
    # The post ends, and with it what was delegated of it.
    await gql.must("security_admin", "appointmentEnd", id=post["id"], reason="调离")
    assert await asked(gql, NEWCOMER) == (set(), 0)


async def test_suspended_and_restored(gql: Office) -> None:
    mediator = await gql.person("mediator")
    before = await asked(gql, "mediator")
    shown = await gql.must("system_admin", "personSuspend", shown="state access { can }", id=mediator, reason="停职")
    assert shown == {"state": "SUSPENDED", "access": {"can": ["restore"]}}
    response = await gql.gql.ask(PRINCIPALS["mediator"], COUNT)
    assert (response.data, response.codes) == (None, ["UNAUTHENTICATED"])
    again = await gql.do("system_admin", "personSuspend", id=mediator, reason="停职")
    assert again.user_errors == [("id", "WRONG_STATE")]
    await gql.must("system_admin", "personRestore", id=mediator, reason="复职")
    assert await asked(gql, "mediator") == before
    assert (
        await gql.do("system_admin", "personSuspend", id=await gql.person("system_admin"), reason="试")
    ).user_errors == [("id", "SELF")]
    events = await gql.rows(
        "SELECT action, from_state, to_state, reason FROM event WHERE resource = 'Person' ORDER BY at"
    )
    assert [tuple(row) for row in events] == [
        ("person.suspend", "ACTIVE", "SUSPENDED", "停职"),
        ("person.restore", "SUSPENDED", "ACTIVE", "复职"),
    ]


async def test_the_last_in_charge_of_the_policy_stays(gql: Office) -> None:
    """Neither the account nor the appointment ends while nobody else could publish, nor the last who could approve."""
    admin = await gql.person("security_admin")
    assert (await gql.do("system_admin", "personSuspend", id=admin, reason="试")).user_errors == [("id", "LOCKED_OUT")]
    post = await post_of(gql, "security_admin")
    assert (await gql.do("security_admin", "appointmentEnd", id=post["id"], reason="试")).user_errors == [
        ("id", "LOCKED_OUT")
    ]
    bureau = await gql.person("bureau_admin")
    others = "SELECT person_id FROM appointment WHERE role = 'bureau_admin' AND person_id <> $1"
    for other in await gql.rows(others, bureau):
        await gql.must("system_admin", "personSuspend", id=other["person_id"], reason="另有他人可以批准")
    assert (await gql.do("system_admin", "personSuspend", id=bureau, reason="试")).user_errors == [("id", "LOCKED_OUT")]
    await gql.must("security_admin", "appointmentGrant", **await grant_values(gql, "security_admin"))
    await gql.must("system_admin", "personSuspend", id=bureau, reason="另有他人可以批准")
    # Of two, one may go, and not both at once.
    pair = [admin, await gql.person(NEWCOMER)]
    done = await asyncio.gather(*(gql.do("system_admin", "personSuspend", id=one, reason="试") for one in pair))
    assert [one.user_errors for one in done] == [[("id", "LOCKED_OUT")]] * 2
