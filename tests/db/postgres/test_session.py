"""Addresses and pools: what a connection is before the first statement, and what it still is after a mistake."""

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from db.postgres.address import Address
from db.postgres.databases import ensure_database
from db.postgres.session import Session, open_pool


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("postgresql://u:p@h/d", Address("h", 5432, "d", "u", "p")),
        ("postgres://u@h:6000/d", Address("h", 6000, "d", "u")),
        (
            "postgresql+asyncpg://u:%40%2F%3A@[::1]:6000/d?sslmode=require",
            Address("::1", 6000, "d", "u", "@/:", "require"),
        ),
        ("postgresql://u@/d?host=/run/pg%20x", Address("/run/pg x", 5432, "d", "u")),
        ("postgresql://%E4%B8%89:%E5%AF%86@h/%E5%BA%93", Address("h", 5432, "库", "三", "密")),
    ],
)
def test_address_is_read_and_means_the_same_to_sqlalchemy(text: str, address: Address) -> None:
    assert Address.parse(text) == address
    url = make_url(address.url())
    assert (url.username, url.password) == (address.user, address.password)
    assert (url.host or url.query["host"]) == address.host
    assert url.drivername == "postgresql+asyncpg"
    assert Address.parse(address.url().replace("&port=5432", "")) == address


@pytest.mark.parametrize(
    "text",
    ["", "d", "postgresql://", "postgresql://h/d", "postgresql://u@h", "postgresql://u@h/d/e", "postgresql://u@a,b/d",
     "postgresql://u@h:99999/d", "postgresql://u@h/d?sslmode=maybe", "postgresql://u@h/d?options=-c%20role%3Dx"],
)  # fmt: skip
def test_address_that_would_be_misread_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="数据库地址"):
        Address.parse(text)


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


async def test_database_is_made_once_and_ordered_by_code_point(database: Address) -> None:
    address = database.with_database('odd "name" 库')
    await ensure_database(address)
    await ensure_database(address)
    connection = await asyncpg.connect(**address.connect_arguments())
    try:
        letters = "SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['b', 'B', '啊', 'a']) AS x"
        assert await connection.fetchval(letters) == "Bab啊"
    finally:
        await connection.close()
