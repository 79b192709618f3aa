"""Tokens at the terminal: issued, listed, revoked, and stored as a hash."""

import asyncio

import pytest

from db.identity import tokens
from db.postgres.address import Address
from tests.api.cli.terminal import add_person, call, connect


def test_token_is_issued_once_listed_without_its_secret_and_revoked(at_database: Address) -> None:
    async def prepare() -> None:
        connection = await connect(at_database)
        await add_person(connection, "纪明")
        await connection.close()

    async def is_live(text: str) -> bool:
        connection = await connect(at_database)
        live = await tokens.is_valid(connection, text)
        await connection.close()
        return live

    asyncio.run(prepare())
    issued = call("token", "issue", "--person", "纪明", "--days", "3", "--label", "试用")
    assert issued.exit_code == 0
    token = issued.stdout.strip()
    assert asyncio.run(is_live(token))
    listed = call("token", "list").output
    _, prefix, secret = token.split("_", 2)
    assert prefix in listed
    assert secret not in listed
    assert call("token", "revoke", prefix).exit_code == 0
    assert not asyncio.run(is_live(token))
    assert call("token", "revoke", prefix).exit_code == 0  # it stays revoked
    assert call("token", "revoke", "aaaaaaaa").exit_code == 1
    assert "已撤销" in call("token", "list").output


def test_token_is_not_issued_for_a_name_that_is_unknown_or_not_unique(at_database: Address) -> None:
    async def prepare() -> None:
        connection = await connect(at_database)
        await add_person(connection, "重名")
        await add_person(connection, "重名")
        await connection.close()

    asyncio.run(prepare())
    assert "没有名为" in call("token", "issue", "--person", "无此人").output
    result = call("token", "issue", "--person", "重名")
    assert result.exit_code == 1
    assert "2 人" in result.output


async def test_stored_token_is_only_a_hash_and_a_change_of_tokens_moves_the_epoch(database: Address) -> None:
    connection = await connect(database)
    try:
        person = await add_person(connection, "纪明")
        before = await connection.fetchval("SELECT epoch FROM access_epoch")
        issued = await tokens.issue(connection, person_id=person, label="试用", days=1)
        (row,) = await connection.fetch("SELECT * FROM token")
        assert issued.text.split("_", 2)[2] not in str(dict(row))
        presented = tokens.parse(issued.text)
        assert presented is not None
        assert (presented.prefix, presented.hash) == (row["prefix"], row["hash"])
        assert issued.text not in repr(issued) + repr(presented)
        assert await connection.fetchval("SELECT epoch FROM access_epoch") > before
        await connection.execute("UPDATE token SET created_at = now() - interval '2 days', expires_at = now()")
        assert not await tokens.is_valid(connection, issued.text)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "text", ["", "sl_", "sl_abcdefgh_short", "sl_ABCDEFGH_" + "a" * 43, "sl_abcdefgh_" + "a" * 44, "é" * 55]
)
def test_what_is_no_token_is_not_looked_up(text: str) -> None:
    assert tokens.parse(text) is None
