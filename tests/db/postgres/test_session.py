"""Sessions: what a connection is before its first statement, and what it still is after a mistake."""

import asyncpg
import pytest

from db.postgres.address import Address
from db.postgres.session import Session, open_pool


async def test_every_connection_acts_as_the_role_of_its_pool(database: Address) -> None:
    async with await open_pool(Session(database, "sanlian_reader", 1234), 2) as pool:
        for _ in range(4):
            (row,) = await pool.fetch(
                "SELECT current_user AS who, current_setting('timezone') AS zone,"
                " current_setting('statement_timeout') AS time, current_setting('application_name') AS application"
            )
            assert dict(row) == {"who": "sanlian_reader", "zone": "UTC", "time": "1234ms", "application": "sanlian"}
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("DELETE FROM dispute")


async def test_slow_statement_is_given_up(database: Address) -> None:
    async with await open_pool(Session(database, None, 100), 1) as pool:
        with pytest.raises(asyncpg.QueryCanceledError):
            await pool.execute("SELECT pg_sleep(5)")
        assert await pool.fetchval("SELECT 1") == 1


async def test_forgotten_transaction_is_rolled_back_before_the_next_use(database: Address) -> None:
    async with await open_pool(Session(database, None, 5000), 1) as pool:
        async with pool.acquire() as connection:
            await connection.execute("BEGIN; CREATE TABLE forgotten (); SET LOCAL timezone TO 'Asia/Shanghai'")
        assert await pool.fetchval("SELECT to_regclass('forgotten')::text") is None
        assert await pool.fetchval("SHOW timezone") == "UTC"


async def test_json_arrives_as_the_text_that_was_sent(database: Address) -> None:
    async with await open_pool(Session(database, None, 5000), 1) as pool:
        text = '{"b" : 1,\n "a": 1.10, "b": 2}'
        assert await pool.fetchval("SELECT $1::json", text) == text
        assert await pool.fetchval("SELECT $1::jsonb", text) == '{"a": 1.10, "b": 2}'


@pytest.mark.parametrize("role", ["x; DROP TABLE token", 'x"', "", "X", "a" * 64])
async def test_role_is_a_plain_name(database: Address, role: str) -> None:
    with pytest.raises(ValueError, match="plain role name"):
        Session(database, role, 5000)
