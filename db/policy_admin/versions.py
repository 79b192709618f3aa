"""Policy versions on their way: what is worked out of a text once, what it would give whom, and who would be left in charge.

It decides on sets of cells, never on names of roles but for the three administrators' posts, which the law of the land names.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import ClauseElement, literal_column, or_, select

from db import tables as t
from db.postgres.advisory_locks import AdvisoryLock
from db.query.statement import compile_statement
from db.resources.catalog import CATALOG
from db.resources.resource import today
from db.tables.person import ADMINISTRATORS
from policies.compile import compile_policy
from policies.diff import Diff, diff, print_diff
from policies.escalation import gains, holders
from policies.grant import Appointment
from policies.policy import Policy, PolicyRefused
from policies.testing.mutants import TooLong
from policies.testing.run import Report, run
from policies.testing.suite import SUITE_PATH, load
from policies.text import Problem
from policies.words import action_words, class_words

# Held by whoever changes posts, accounts or the policy. Any constant number; one per purpose within a database (`db/postgres/migrate.py`).
# So many sentences of a kind are kept with a version.
MOST_TOLD = 500
# Testing changes every rule in several ways. What takes longer than this holds up a worker.
MOST_SECONDS = 20.0


@dataclass(frozen=True)
class Examined:
    """A text with all that is worked out of it. `difference`: to the version that is live."""

    policy: Policy
    tests: str
    report: Report
    difference: Diff

    @property
    def proof(self) -> str:
        """The hash of the tests and of what came of them."""
        report = self.report
        came = [
            self.tests,
            report.cases,
            report.mutants,
            [[one.line, one.says, one.text] for one in report.failures],
            [[one.line, one.text] for one in report.survivors],
        ]
        return hashlib.sha256(orjson.dumps(came)).hexdigest()

    def values(self, gains: Sequence[str], needed: int) -> dict[str, Any]:
        """The columns of its row that never change."""
        report = self.report
        return {
            "text": self.policy.text,
            "sha256": self.policy.sha256,
            "tests": self.tests,
            "green": report.green,
            "cases": report.cases,
            "mutants": report.mutants,
            "failures": _told(f"第 {one.line} 行 {one.says}：{one.text}" for one in report.failures),
            "survivors": _told(f"第 {one.line} 行 {one.text}" for one in report.survivors),
            "widens": self.difference.widens,
            "differences": _told(line.strip() for line in print_diff(self.difference).splitlines()),
            "gains": _told(gains),
            "approvals_needed": needed,
            "proof_sha256": self.proof,
        }


def shipped_tests() -> str:
    """The tests that came with the software."""
    return SUITE_PATH.read_text(encoding="utf-8")


def examine(text: str, tests: str, live: Policy) -> Examined:
    """Everything that can be said of a text without asking the database. Raises PolicyRefused and SuiteRefused."""
    policy, report = _tested(text, tests)
    return Examined(policy, tests, report, diff(live, policy))


# Whoever publishes asks again for what the author asked for a little before.
@lru_cache(maxsize=8)
def _tested(text: str, tests: str) -> tuple[Policy, Report]:
    policy = compile_policy(text, CATALOG)
    problems = list(_administrators(policy))
    if problems:
        raise PolicyRefused(problems)
    try:
        return policy, run(policy, load(tests, policy), seconds=MOST_SECONDS)
    except TooLong:
        message = f"规则过多（{len(policy.rules)} 条），逐条测试超过 {MOST_SECONDS:.0f} 秒；请以角色继承、命名条件合并"
        raise PolicyRefused([Problem(0, message)]) from None


def _administrators(policy: Policy) -> Iterator[Problem]:
    """SECURITY: nobody gets two of the three posts by way of a role that inherits one."""
    for role, sources in policy.inherited.items():
        for post in ADMINISTRATORS:
            if post in sources[1:]:
                yield Problem(
                    0, f"{role} 不能继承 {post}：系统管理员、安全管理员、审计管理员三员分立，其权限不得由其他角色取得"
                )


def _told(sentences: Iterable[str]) -> list[str]:
    found = list(sentences)
    return found if len(found) <= MOST_TOLD else [*found[:MOST_TOLD], f"另有 {len(found) - MOST_TOLD} 项。"]


# -- people


@dataclass(frozen=True)
class Staff:
    """Active people with the appointments that they hold or are to hold, and the organizations of those."""

    appointments: Mapping[UUID, Sequence[Appointment]]
    organizations: Mapping[UUID, frozenset[UUID]]

    def houses(self, person: UUID) -> frozenset[UUID]:
        """The organizations in which he has a post."""
        return self.organizations.get(person, frozenset())

    def among(self, person: UUID, houses: frozenset[UUID]) -> frozenset[UUID]:
        """He and all who have a post in one of the organizations."""
        return frozenset({person} | {one for one, held in self.organizations.items() if held & houses})

    def outside(self, person: UUID, houses: frozenset[UUID]) -> bool:
        """Whether he is of another organization: none of his posts is in one of these."""
        held = self.houses(person)
        return bool(held) and not held & houses


def gained(live: Policy, draft: Policy, people: Iterable[UUID], staff: Staff) -> list[str]:
    """What a draft gives people beyond what they have, one sentence each.

    SECURITY: two people with posts of the same roles gain the same, whatever their claims are; each such set is looked at once.
    """
    shapes: dict[tuple[str, ...], Sequence[Appointment]] = {}
    for person in sorted(people):
        held = staff.appointments.get(person, ())
        shapes.setdefault(tuple(sorted(post.role for post in held)), held)
    found: dict[str, None] = {}
    for roles, held in shapes.items():
        who = "、".join(draft.roles.get(role, role) for role in dict.fromkeys(roles))
        for one in gains(live, draft, held):
            label = draft.catalog.resources[one.resource].label
            cell = "" if one.field_class is None else f"的{class_words(one.field_class, one.form)}"
            what = f"{action_words(one.resource, one.action)}{label}{cell}"
            found[f"{who}：{what}，由「{one.before or '无'}」变为「{one.after}」"] = None
    return list(found)


def governed(policy: Policy, staff: Staff) -> bool:
    """Whether somebody could still draft and publish, and another approve."""
    able = {action: set(holders(policy, action, staff.appointments)) for action in ("draft", "publish", "approve")}
    return any(able["approve"] - {one} for one in able["draft"] & able["publish"])


_STAFF = (
    select(t.appointment.c.person_id, t.appointment.c.role, t.appointment.c.organization_id, t.appointment.c.area_code)
    .select_from(t.appointment.join(t.person, t.person.c.id == t.appointment.c.person_id))
    .where(
        t.person.c.state == literal_column("'ACTIVE'"),
        or_(t.appointment.c.valid_to.is_(None), t.appointment.c.valid_to >= today()),
        or_(t.appointment.c.valid_to.is_(None), t.appointment.c.valid_to >= t.appointment.c.valid_from),
    )
)
# Who is in charge must be so today; what somebody gains he may gain later.
_STAFF_TODAY = _STAFF.where(t.appointment.c.valid_from <= today())


async def staff(fetch: Callable[[ClauseElement], Awaitable[list[Any]]], *, of_today: bool) -> Staff:
    """All active people, by their posts of today, or by those to come as well."""
    posts: dict[UUID, list[Appointment]] = defaultdict(list)
    organizations: dict[UUID, set[UUID]] = defaultdict(set)
    for row in await fetch(_STAFF_TODAY if of_today else _STAFF):
        claims = {name: row[name] for name in ("person_id", "organization_id", "area_code")}
        posts[row["person_id"]].append(Appointment(row["role"], {**claims, "team_ids": ()}))
        organizations[row["person_id"]].add(row["organization_id"])
    return Staff(posts, {person: frozenset(found) for person, found in organizations.items()})


# -- the versions of an installation


async def publish_first(connection: Any, text: str) -> int:
    """Publish the text as version 1 where no policy was ever stored; the number of the live version, whatever it is.

    Raises PolicyRefused: a text that cannot be explained is never stored as published.
    """
    policy = compile_policy(text, CATALOG, 1)
    await connection.execute(
        "INSERT INTO policy_version (version, text, sha256, state, note, published_at)"
        " SELECT 1, $1, $2, 'PUBLISHED', '初始策略', now() WHERE NOT EXISTS (SELECT FROM policy_version) ON CONFLICT DO NOTHING",
        policy.text,
        policy.sha256,
    )
    return int(await connection.fetchval("SELECT version FROM policy_version WHERE state = 'PUBLISHED'"))


async def publish_instead(connection: Any, text: str) -> int:
    """Publish the text in place of a live version with which nothing can be put right any more; the number of the new version.

    For whoever owns the database. Raises StillUsable where the commands would do, PolicyRefused where the text is no better.
    """
    policy = compile_policy(text, CATALOG)
    async with connection.transaction():
        await connection.execute(f"SELECT pg_advisory_xact_lock({AdvisoryLock.RIGHTS})")
        if not await broken(connection) and await in_charge(connection):
            raise StillUsable
        await connection.execute("UPDATE policy_version SET state = 'RETIRED' WHERE state = 'PUBLISHED'")
        return int(
            await connection.fetchval(
                "WITH made AS (INSERT INTO policy_version (version, text, sha256, state, note, published_at)"
                " SELECT max(version) + 1, $1, $2, 'PUBLISHED', '由数据库管理者替换不能再用的版本', now()"
                " FROM policy_version RETURNING *),"
                " told AS (INSERT INTO event (at, action, resource, resource_id, to_state, reason)"
                " SELECT now(), 'policy.replace', 'PolicyVersion', id, state, note FROM made)"
                " SELECT version FROM made",
                policy.text,
                policy.sha256,
            )
        )


class StillUsable(Exception):
    """The live version works, and somebody can publish another."""


async def broken(connection: Any) -> list[str]:
    """Why the live version cannot be used under the present catalog, in sentences; nothing for one that works."""
    try:
        await live_policy(connection)
    except LookupError:
        return ["没有现行的访问策略，服务对任何请求都不能作答。"]
    except PolicyRefused as refused:
        head = "现行的访问策略在这一版软件中已不能编译，服务对任何请求都不能作答："
        return [head, *(f"第 {one.line} 行第 {one.column} 列：{one.message}" for one in refused.problems)]
    return []


async def in_charge(connection: Any) -> bool:
    """Whether somebody could put another policy in the place of the live one, which must work; or there is nobody yet at all."""

    async def fetch(statement: ClauseElement) -> list[Any]:
        return list(await connection.fetch(compile_statement(statement).sql))

    found = await staff(fetch, of_today=True)
    return not found.appointments or governed(await live_policy(connection), found)


async def live_policy(connection: Any) -> Policy:
    """The policy in force. Raises LookupError where none is published, PolicyRefused where it no longer compiles."""
    row = await connection.fetchrow("SELECT version, text FROM policy_version WHERE state = 'PUBLISHED'")
    if row is None:
        raise LookupError("no policy is published")
    return compile_policy(row["text"], CATALOG, row["version"])
