"""`python -m api policy draft | approve | publish | rollback | list`: the commands of the service, run at the terminal as a person.

The owner of the database names the person; what that person may not do is refused here too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from api.cli.terminal import CommandFailed

if TYPE_CHECKING:
    from api.settings import Settings
    from db.postgres.address import Address

STATES = {"DRAFT": "待批准", "APPROVED": "已批准", "PUBLISHED": "现行", "RETIRED": "已被取代"}


@dataclass(frozen=True)
class CommandResult:
    """The result of a command: its user errors, one a line, or the row of the version after it."""

    user_errors: tuple[str, ...]
    version: Any = None


async def run_command(
    settings: "Settings", address: "Address", person: str, verb: str, make_input: Callable[[Callable[[int], UUID]], Any]
) -> CommandResult:
    """Run `policy.<verb>` as a person. `make_input` makes the input; its argument is a function from a version's number to its key.

    Raises CommandFailed where there is no such person or version, or rights changed meanwhile.
    """
    import asyncpg

    from db.commands import COMMANDS
    from db.crypto import Cipher
    from db.identity.appointments import access_of, find_people
    from db.policy_admin.versions import keys_by_version, live_policy, version_of
    from db.postgres.pool import Pool
    from db.postgres.session import Session
    from db.query.epoch import read_epoch
    from db.write.command import Order
    from db.write.executor import CommandExecutor
    from db.write.transaction import Actor, Stale

    connection = await asyncpg.connect(**address.connect_arguments())
    pool = Pool(Session(address, "sanlian_writer", settings.statement_timeout_ms), 1)
    try:
        people = await find_people(connection, person)
        if len(people) != 1:
            raise CommandFailed(
                f"没有名为 {person} 的在用人员。" if not people else f"有 {len(people)} 人名为 {person}。"
            )
        keys = await keys_by_version(connection)

        def key_of(number: int) -> UUID:
            if number not in keys:
                raise CommandFailed(f"没有第 {number} 版。")
            return keys[number]

        epoch = await read_epoch(connection)
        access = await access_of(connection, await live_policy(connection), people[0])
        commands = CommandExecutor(pool, Cipher(settings.key()))
        actor = Actor(access, people[0], epoch)
        try:
            order = Order.of(make_input(key_of))
            receipt = await commands.execute(COMMANDS[f"policy.{verb}"], actor, order, key=None, expected_version=None)
        except Stale:
            raise CommandFailed("访问权刚有变更，什么都没有保存，请再试一次。") from None
        if receipt.id is None:
            return CommandResult(tuple(f"{one.field or '-'}: {one.message}" for one in receipt.user_errors))
        row = await version_of(connection, receipt.id)
        return CommandResult((), row)
    finally:
        await pool.close()
        await connection.close()


def describe_version(row: Any) -> list[str]:
    """A version as lines for the terminal."""
    lines = [f"第 {row['version']} 版，{STATES[row['state']]}，散列 {row['digest']}"]
    lines += [f"  {one}" for one in row["differences"]]
    if row["gains"]:
        lines += ["起草人及其机构由此多得（须有另一机构的人批准）：", *(f"  {one}" for one in row["gains"])]
    if not row["green"]:
        lines += ["测试有不符的，或有规则没有测试，不能批准："]
        lines += [f"  {one}" for one in (*row["failures"], *row["survivors"])]
    return lines
