"""Policies of other sizes, published in the benchmark's county while the product runs: what do rules cost a request?

`open` grants one role everything without a condition or a mask: as near to "policy off" as the product can come, for it has no
such switch.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from db.postgres.address import Address
from db.resources.catalog import CATALOG
from policies.compile import POLICY_PATH, compile_policy

SHIPPED, OPEN = "shipped", "open"
_PATTERN = "justice_office"  # whose rules the roles that fill a large policy are given
_RESOURCES = ("Dispute", "Party", "Assignment", "Compound", "Mediator", "Person", "Organization", "Area", "Company")


def _parse_rules(text: str) -> list[tuple[str, list[str]]]:
    """Each line, and its cells if it is a rule."""
    return [
        (line, [cell.strip() for cell in line.split(",")] if line.startswith("p,") else [])
        for line in text.splitlines()
    ]


def with_rules(text: str, count: int, role: str) -> str:
    """The policy with so many rules: filled with the rules of roles that nobody has, or cut to what the role reads."""
    lines = _parse_rules(text)
    own = [cells for _, cells in lines if cells]
    if count < len(own):
        # Those that the questions need first, then others that the role has.
        inherited = (role, "worker", "partner", "everyone")
        needed = [
            line
            for line, cells in lines
            if cells and cells[1] in inherited and cells[2] in _RESOURCES and cells[3] == "read"
        ]
        others = [line for line, cells in lines if cells and cells[1] in inherited and line not in needed]
        kept = {*needed, *others[: max(0, count - len(needed))]}
        return "\n".join(line for line, cells in lines if not cells or line in kept) + "\n"
    pattern = [cells for cells in own if cells[1] == _PATTERN]
    filled, left, number = [line for line, _ in lines], count - len(own), 0
    while left > 0:
        number += 1
        name = f"filler_{number}"
        filled.append(f"p3, {name}, 基准角色{number}")
        filled += [", ".join(["p", name, *cells[2:]]) for cells in pattern[:left]]
        left -= len(pattern)
    return "\n".join(filled) + "\n"


def with_everything(text: str, role: str) -> str:
    """The policy that grants the role every field of every row in clear."""
    lines = [line for line, cells in _parse_rules(text) if not cells or cells[1] != role]
    for name, resource in CATALOG.resources.items():
        classes = sorted({one.field_class for one in resource.fields.values()})
        lines.append(f"p, {role}, {name}, read, anywhere, {'|'.join(classes) or '-'}, allow")
    lines.append(f"p, {role}, Dispute, count, anywhere, -, allow")
    return "\n".join(lines) + "\n"


def variant(name: str, role: str) -> str:
    """The text of a variant: `shipped`, `open`, or a number of rules."""
    text = POLICY_PATH.read_text(encoding="utf-8")
    if name == OPEN:
        text = with_everything(text, role)
    elif name != SHIPPED:
        text = with_rules(text, int(name), role)
    compile_policy(text, CATALOG)
    return text


async def publish(connection: Any, text: str) -> None:
    """Put a policy in force at once."""
    async with connection.transaction():
        await connection.execute("UPDATE policy_version SET state = 'RETIRED' WHERE state = 'PUBLISHED'")
        await connection.execute(
            "INSERT INTO policy_version (version, text, sha256, state, note, published_at)"
            " SELECT max(version) + 1, $1, $2, 'PUBLISHED', 'benchmark', now() FROM policy_version",
            text,
            hashlib.sha256(text.encode()).hexdigest(),
        )


@asynccontextmanager
async def publishing(address: Address) -> AsyncIterator[Any]:
    """A connection to publish over; at the end the shipped policy is in force again, also when interrupted."""
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        yield connection
    finally:
        await publish(connection, POLICY_PATH.read_text(encoding="utf-8"))
        await connection.close()
