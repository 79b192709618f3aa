"""The posts in force, by the shared statement, are what plain Python works out from the rows; and no other statement says it again."""

import datetime as dt
import re
from collections import defaultdict
from typing import Any
from uuid import UUID

import asyncpg

from db.calendar import day_of
from db.identity import tokens
from db.identity.appointments import people_of, posts_by_name
from db.postgres.address import Address
from db.postgres.pool import Pool
from db.postgres.session import Session
from db.tables.team import TEAM_ROLE_OF
from tests.paths import ROOT

Posts = dict[UUID, set[tuple[UUID, str, UUID, str, tuple[UUID, ...]]]]


def lasts(row: Any, day: dt.date) -> bool:
    last = row["valid_to"] or dt.date.max
    return bool(row["valid_from"] <= day <= last)


def team_exists(team: Any, day: dt.date, today: dt.date) -> bool:
    if day == today:
        return bool(team["state"] == "ACTIVE")
    return bool(team["formed_on"] <= day < (team["dissolved_on"] or dt.date.max))


async def reckoned(connection: Any, day: dt.date, today: dt.date) -> Posts:
    """The posts of every person on a day, from the rows as they stand in the tables."""
    tables = {
        name: await connection.fetch(f"SELECT * FROM {name}")
        for name in ("person", "appointment", "team", "team_member")
    }
    active = {row["id"] for row in tables["person"] if row["state"] == "ACTIVE"}
    teams = {row["id"] for row in tables["team"] if team_exists(row, day, today)}
    serving: dict[tuple[UUID, str], list[UUID]] = defaultdict(list)
    for member in tables["team_member"]:
        if member["team_id"] in teams and lasts(member, day):
            serving[member["person_id"], member["role"]].append(member["team_id"])
    posts: Posts = {row["id"]: set() for row in tables["person"]}
    for row in tables["appointment"]:
        if row["person_id"] in active and lasts(row, day):
            of_team = serving[row["person_id"], TEAM_ROLE_OF.get(row["role"], "")]
            place = (row["id"], row["role"], row["organization_id"], row["area_code"])
            posts[row["person_id"]].add((*place, tuple(sorted(of_team))))
    return posts


async def stated(connection: Any, day: dt.date | None) -> Posts:
    """The same by the shared statement."""
    return {
        person.id: {
            (
                post.id,
                post.appointment.role,
                post.organization_id,
                post.area_code,
                tuple(post.appointment.claims["team_ids"]),
            )
            for post in person.posts
        }
        for person in await people_of(connection, day)
    }


# A post that has ended, is to come, was withdrawn before it began, ends today; a team dissolved, a member that has left; a person suspended.
CHANGES = """
UPDATE appointment SET valid_to = today - 40 WHERE id IN (SELECT id FROM appointment WHERE role = 'grid_worker' ORDER BY id LIMIT 3);
UPDATE appointment SET valid_from = today + 20, valid_to = NULL
 WHERE id = (SELECT id FROM appointment WHERE role = 'legal_adviser' ORDER BY id LIMIT 1);
UPDATE appointment SET valid_to = valid_from - 1 WHERE id = (SELECT id FROM appointment WHERE role = 'law_leader' ORDER BY id LIMIT 1);
UPDATE appointment SET valid_to = today WHERE id = (SELECT id FROM appointment WHERE role = 'mediator' ORDER BY id LIMIT 1);
UPDATE team SET state = 'DISSOLVED', dissolved_on = today - 10 WHERE id = (SELECT id FROM team WHERE state = 'ACTIVE' ORDER BY id LIMIT 1);
UPDATE team_member SET valid_to = today - 5
 WHERE id = (SELECT m.id FROM team_member m JOIN team t ON t.id = m.team_id WHERE t.state = 'DISSOLVED' ORDER BY m.id LIMIT 1);
UPDATE person SET state = 'SUSPENDED'
 WHERE id = (SELECT person_id FROM appointment WHERE role = 'mediator' ORDER BY id DESC LIMIT 1)
""".split(";")


async def test_posts_in_force_are_what_the_rows_say_on_any_day(own_county: Address) -> None:
    connection = await asyncpg.connect(**own_county.connect_arguments())
    try:
        today = day_of(await connection.fetchval("SELECT now()"))
        for change in CHANGES:
            done = await connection.execute(change.replace("today", f"date '{today}'"))
            assert done.startswith("UPDATE")
            assert done != "UPDATE 0"
        first = await connection.fetchval("SELECT min(valid_from) FROM appointment")
        days = [today + dt.timedelta(days=offset) for offset in (-400, -41, -40, -39, -10, -5, -4, -1, 0, 1, 20, 400)]
        seen = set()
        for day in (first - dt.timedelta(days=1), first, *days):
            posts = await reckoned(connection, day, today)
            assert await stated(connection, day) == posts, day
            seen.add(sum(map(len, posts.values())))
        # The days differ, and today is the default.
        assert len(seen) > 3
        assert await stated(connection, None) == await reckoned(connection, today, today)
        assert any(teams for held in (await stated(connection, None)).values() for *_, teams in held)
    finally:
        await connection.close()


async def test_token_stands_for_the_posts_in_force_and_says_when_they_change(own_county: Address) -> None:
    connection = await asyncpg.connect(**own_county.connect_arguments())
    pool = Pool(Session(own_county, "sanlian_writer", 5000), 1)
    try:
        today = day_of(await connection.fetchval("SELECT now()"))
        people = [person for person in await people_of(connection) if person.posts]
        assert len(people) > 50
        for person in people:
            issued = await tokens.issue(connection, person_id=person.id, label="试用", days=1)
            holder = await tokens.look_up(pool, issued.text)
            assert holder is not None
            assert holder.person_id == person.id
            expected = [post.appointment for post in person.posts]
            assert list(holder.appointments) == expected
            one = await tokens.issue(
                connection, person_id=person.id, appointment_id=person.posts[-1].id, label="一职", days=1
            )
            holder = await tokens.look_up(pool, one.text)
            assert holder is not None
            assert list(holder.appointments) == expected[-1:]
        # A last day is a whole day: the post ends at the next midnight of the county.
        person = people[0]
        issued = await tokens.issue(connection, person_id=person.id, label="试用", days=9)
        for post in person.posts:
            await connection.execute(
                "UPDATE appointment SET valid_to = $2 WHERE id = $1", post.id, today + dt.timedelta(days=2)
            )
        holder = await tokens.look_up(pool, issued.text)
        assert holder is not None
        assert holder.changes_at is not None
        assert day_of(holder.changes_at - dt.timedelta(seconds=1)) <= today + dt.timedelta(days=2)
        assert holder.changes_at <= dt.datetime.combine(
            today + dt.timedelta(days=3), dt.time(), dt.timezone(dt.timedelta(hours=8))
        )
        await connection.execute("UPDATE person SET state = 'SUSPENDED' WHERE id = $1", person.id)
        assert await tokens.look_up(pool, issued.text) is None
        assert await posts_by_name(connection, [person.name]) == []
    finally:
        await pool.close()
        await connection.close()


# What begins or ends on a day, in SQL text or in SQLAlchemy.
_PERIOD = re.compile(r"valid_from\s*<=|valid_to\s*>=|BETWEEN\s+\S*valid_from|\.valid_to\b[^\n]*>= ")


def test_no_second_statement_says_which_posts_are_in_force() -> None:
    # Constraints are no statements; a guard is a condition on one row, below the identity of the caller.
    allowed = ("db/identity/", "db/migrations/", "db/county/", "db/tables/", "db/resources/guards")
    found = [
        f"{path}:{number}: {line.strip()}"
        for folder in ("api", "schema", "db", "policies")
        for file in sorted((ROOT / folder).rglob("*.py"))
        if not (path := file.relative_to(ROOT).as_posix()).startswith(allowed)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if _PERIOD.search(line)
    ]
    assert found == []
    code = "".join(
        file.read_text(encoding="utf-8") for folder in ("api", "db") for file in (ROOT / folder).rglob("*.py")
    )
    assert "upper(a.role)" not in code
