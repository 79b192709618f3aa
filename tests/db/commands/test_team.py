"""Teams: exactly one of each of four roles, replaced from a day on, one active team for a grid; what a member sees follows at once."""

import datetime as dt
from typing import Any
from uuid import UUID

from db.commands.team import eligible_roles
from db.county.people import SEED_GRID
from db.resources.catalog import CATALOG
from db.tables.team import TEAM_ROLE_OF, TEAM_ROLES
from policies.compile import POLICY_PATH, compile_policy
from tests.office import DAY, Office, name_of, now

OTHER_GRID = f"{SEED_GRID[:12]}002"
SHOWN = "id state formedOn dissolvedOn members { role validFrom validTo person { id name } } access { can }"
TODAY = (now() + dt.timedelta(hours=8)).date()


async def team_of(office: Office, grid: str) -> UUID:
    return UUID(str(await office.value("SELECT id FROM team WHERE grid_code = $1 AND state = 'ACTIVE'", grid)))


async def members(office: Office, team: UUID) -> list[dict[str, Any]]:
    found = await office.rows("SELECT role, person_id FROM team_member WHERE team_id = $1 AND valid_to IS NULL", team)
    return [dict(one) for one in found]


async def other(office: Office, role: str, instead_of: UUID | None = None) -> UUID:
    """Somebody else who holds the role's appointment."""
    found = await office.value(
        "SELECT person_id FROM appointment a JOIN person p ON p.id = a.person_id WHERE role = $1 AND p.state = 'ACTIVE'"
        " AND valid_from <= now() AND valid_to IS NULL AND person_id IS DISTINCT FROM $2 ORDER BY a.id LIMIT 1",
        role,
        instead_of,
    )
    return UUID(str(found))


async def test_a_team_is_dissolved_and_another_formed(office: Office) -> None:
    old = await team_of(office, OTHER_GRID)
    four = await members(office, old)
    values = {"grid_code": OTHER_GRID, "name": "新团队", "members": four}
    twice = await office.do("justice_office", "teamForm", **values)
    assert twice.user_errors == [("gridCode", "DUPLICATE")]

    assert "dissolve" in await office.can("justice_office", await office.register(), "Team", old)
    gone = await office.must("justice_office", "teamDissolve", id=old, reason="网格调整", shown=SHOWN)
    assert (gone["state"], gone["dissolvedOn"]) == ("DISSOLVED", TODAY.isoformat())
    assert {one["validTo"] for one in gone["members"] if one["validTo"] >= TODAY.isoformat()} == {TODAY.isoformat()}
    assert gone["access"]["can"] == []
    for mutation, more in (("teamDissolve", {"reason": "再撤"}), ("teamReplace", four[0])):
        assert (await office.do("justice_office", mutation, id=old, **more)).user_errors == [("id", "WRONG_STATE")]

    made = await office.must("bureau_admin", "teamForm", **values, shown=SHOWN)
    assert (made["state"], made["formedOn"]) == ("ACTIVE", TODAY.isoformat())
    assert len(made["members"]) == 4
    assert made["access"]["can"] == ["dissolve", "replace"]


async def test_a_team_is_forming_until_it_is_complete(office: Office) -> None:
    grid = f"{SEED_GRID[:12]}003"
    old = await team_of(office, grid)
    four = await members(office, old)
    await office.must("justice_office", "teamDissolve", id=old, reason="改组")
    made = await office.must("justice_office", "teamForm", grid_code=grid, name="甲队", members=four[:2], shown=SHOWN)
    assert made["state"] == "FORMING"
    team = UUID(made["id"].partition(":")[2])
    for index, one in enumerate(four[2:]):
        state = (await office.must("justice_office", "teamReplace", id=team, **one, shown="state"))["state"]
        assert state == ("FORMING", "ACTIVE")[index]


async def test_a_member_gives_way_from_a_day_on(office: Office) -> None:
    team = await team_of(office, SEED_GRID)
    adviser = next(one["person_id"] for one in await members(office, team) if one["role"] == "LEGAL_ADVISER")
    case = await office.register()
    assert await office.can("legal_adviser", case) == ["opine"] or await sees(office, "legal_adviser", case.key)
    successor = await other(office, "legal_adviser", adviser)
    shown = await office.must(
        "justice_office", "teamReplace", id=team, role="LEGAL_ADVISER", person_id=successor, from_on=TODAY, shown=SHOWN
    )
    by_person = {one["person"]["id"]: one for one in shown["members"] if one["role"] == "LEGAL_ADVISER"}
    assert by_person[f"Person:{adviser}"]["validTo"] == (TODAY - DAY).isoformat()
    assert by_person[f"Person:{successor}"]["validFrom"] == TODAY.isoformat()
    assert shown["state"] == "ACTIVE"
    # The right ends with the day: at the next request.
    assert not await sees(office, "legal_adviser", case.key)
    name = await office.value("SELECT name FROM person WHERE id = $1", successor)
    assert await sees(office, name, case.key)
    (event,) = await office.rows(
        "SELECT e.* FROM event e JOIN team_member m ON m.id = e.resource_id WHERE m.team_id = $1 AND action = 'team.replace'",
        team,
    )
    assert event["dispute_id"] is None
    assert event["reason"] == "LEGAL_ADVISER"


async def sees(office: Office, who: str, key: UUID) -> bool:
    response = await office.gql.ask(name_of(who), "query($d: ID!) { node(id: $d) { id } }", d=f"Dispute:{key}")
    return response.data["node"] is not None


async def test_every_user_error_is_reported_and_nothing_is_stored(office: Office) -> None:
    before = await office.value("SELECT count(*) FROM team")
    stranger = await other(office, "analyst")
    done = await office.do(
        "justice_office",
        "teamForm",
        grid_code="371525002001",
        name=" ",
        members=[{"role": "MEDIATOR", "person_id": stranger}, {"role": "MEDIATOR", "person_id": stranger}],
        happened_at=now() + DAY,
    )
    assert sorted(done.user_errors) == [
        ("gridCode", "BAD_GRID"),
        ("happenedAt", "IN_FUTURE"),
        ("members.0.personId", "DUPLICATE"),
        ("members.0.personId", "NOT_APPOINTED"),
        ("members.0.role", "DUPLICATE"),
        ("members.1.personId", "DUPLICATE"),
        ("members.1.personId", "NOT_APPOINTED"),
        ("members.1.role", "DUPLICATE"),
        ("name", "REQUIRED"),
    ]
    assert await office.value("SELECT count(*) FROM team") == before


async def test_only_the_grid_s_own_worker_serves_in_its_team(office: Office) -> None:
    team = await team_of(office, SEED_GRID)
    own = await office.person("grid_worker")
    elsewhere = await other(office, "grid_worker", own)
    done = await office.do("justice_office", "teamReplace", id=team, role="GRID_WORKER", person_id=elsewhere)
    assert done.user_errors == [("personId", "NOT_APPOINTED")]
    same = await office.do("justice_office", "teamReplace", id=team, role="GRID_WORKER", person_id=own)
    assert same.user_errors == [("personId", "UNCHANGED")]
    mediator = next(one["person_id"] for one in await members(office, team) if one["role"] == "MEDIATOR")
    early = await office.do(
        "justice_office", "teamReplace", id=team, role="MEDIATOR", person_id=await other(office, "mediator", mediator),
        from_on=dt.date(2020, 1, 1),
    )  # fmt: skip
    assert set(early.codes) >= {"TOO_EARLY"}


async def test_teams_are_the_business_of_the_justice_office_of_their_town_and_of_the_bureau(office: Office) -> None:
    far = UUID(
        str(
            await office.value(
                "SELECT id FROM team WHERE state = 'ACTIVE' AND left(grid_code, 9) <> $1 LIMIT 1", SEED_GRID[:9]
            )
        )
    )
    assert (await office.do("justice_office", "teamDissolve", id=far, reason="越界")).user_errors == [
        ("id", "FORBIDDEN")
    ]
    grid = await office.value("SELECT grid_code FROM team WHERE id = $1", far)
    four = await members(office, far)
    await office.must("bureau_admin", "teamDissolve", id=far, reason="改组")
    over = await office.do("justice_office", "teamForm", grid_code=grid, name="越界", members=four)
    assert over.user_errors == [("gridCode", "FORBIDDEN")]
    for role in ("mediator", "grid_worker", "system_admin", "court"):
        assert not (await office.do(role, "teamForm", grid_code=grid, name="乱来", members=four)).ok
    assert await office.value("SELECT count(*) FROM team WHERE grid_code = $1 AND state <> 'DISSOLVED'", grid) == 0


def test_team_roles_and_their_holders_are_those_of_the_policy() -> None:
    """The declared mapping names roles of the policy only, and each team role once; who inherits such a role may serve in it."""
    policy = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG)
    assert set(TEAM_ROLE_OF) <= set(policy.roles)
    assert sorted(TEAM_ROLE_OF.values()) == sorted(TEAM_ROLES)
    assert {role: set(eligible_roles(policy, role)) for role in TEAM_ROLES} == {
        "GRID_WORKER": {"grid_worker"},
        "LEGAL_ADVISER": {"legal_adviser"},
        "LAW_LEADER": {"law_leader"},
        "MEDIATOR": {"mediator", "squad_member"},
    }
