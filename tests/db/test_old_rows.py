"""What the migration to canonical forms makes of rows that were there, duplicates after the folding included."""

from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from db.canonical import forms
from db.postgres.address import Address
from db.postgres.databases import ensure_database
from db.postgres.migrate import configuration, migrate
from tests.db.world import connected

ROWS = """
INSERT INTO area (code, name, level) VALUES ('371525', '县', 'COUNTY'), ('371525002', '街道', 'TOWN'), ('371525002001', '社区', 'COMMUNITY'),
    ('371525002001001', '网格', 'GRID');
INSERT INTO company (name, credit_code) VALUES ('示例(甲)公司', '91371525ma3teyt02r'), ('示例（甲）公司', '91371525MA3TEYT02Q');
INSERT INTO compound (name, address, households, grid_code) VALUES ('某小区', '某路', 100, '371525002001001');
INSERT INTO organization (kind, name, area_code, phone) VALUES ('HOTLINE_OFFICE', '热线', '371525', '06352951234');
INSERT INTO dispute (title, category, sub_category, source, state, tier, risk_level, people_count, summary, registered_at, grid_code,
    compound_id, source_organization_id, external_ref)
SELECT '旧案', 'PROPERTY', 'P01', 'HOTLINE', 'REGISTERED', 'TEAM', 'LOW', 2, '略', '2024-01-01', '371525002001001', c.id, o.id, old.ref
FROM compound AS c, organization AS o, unnest($1::text[]) AS old (ref);
"""
PARTY = """
INSERT INTO party (dispute_id, side, kind, is_natural_person, name, phone, id_number, id_number_cipher, id_number_hash)
SELECT min(id::text)::uuid, 'THIRD', $1, false, $2, $3, $4, CASE WHEN $4::text IS NOT NULL THEN 'c'::bytea END,
    CASE WHEN $4::text IS NOT NULL THEN 'h'::bytea END FROM dispute
"""
PHONES = (
    "138-0000-1234",
    "+86 13800001234",
    "（0635）2951234",
    "０１０８８８１２３４５",
    "0635-2951234-1",
    "8881234",
    "13800001234",
)


def before() -> str:
    """The revision before the migration."""
    script = ScriptDirectory.from_config(configuration())
    (down,) = [one.down_revision for one in script.walk_revisions() if one.path.endswith("_canonical_rows.py")]
    assert isinstance(down, str)
    return down


async def test_old_rows_take_the_form_and_duplicates_are_told(
    database: Address, caplog: pytest.LogCaptureFixture
) -> None:
    older = database.with_database(f"{database.database}_older")
    await ensure_database(older)
    engine = create_async_engine(older.url(), poolclass=NullPool)
    async with engine.begin() as migrating:
        await migrating.run_sync(lambda sync: command.upgrade(configuration(sync), before()))
    await engine.dispose()
    try:
        async with connected(older) as connection:
            await _fill(connection)
        (note,) = await migrate(older)
        assert note in caplog.text
        told = ("重复的来源单号 1 个", "重复的企业名称 1 个", "当事人电话 2 个", "写有身份号码的单位 1 个")
        assert note.endswith(f"：{'、'.join(told)}。")
        async with connected(older) as connection:
            references = {row[0] for row in await connection.fetch("SELECT external_ref FROM dispute")}
            assert references in ({"GD-1", "GD－1", "HOT-2"}, {"GD-1", "gd-1 ", "HOT-2"})
            assert await connection.fetchval("SELECT phone FROM organization") == "0635-2951234"
            parties = await connection.fetch("SELECT name, phone, is_natural_person FROM party WHERE kind = 'OTHER'")
            assert sorted(row["phone"] for row in parties) == sorted(_expected(one) for one in PHONES)
            assert {row["name"] for row in parties} == {"王小明"}
            assert {row["is_natural_person"] for row in parties} == {False}
            assert await connection.fetchval("SELECT is_natural_person FROM party WHERE id_number IS NOT NULL")
        assert await migrate(older) == ()
    finally:
        async with connected(database) as connection:
            await connection.execute(f"DROP DATABASE {older.database} WITH (FORCE)")


def _expected(old: str) -> str:
    """What is no number is left as it was."""
    new = forms.phone(old)
    return new if forms.is_phone(new) else old


async def _fill(connection: Any) -> None:
    *first, last = ROWS.strip().removesuffix(";").split(";\n")
    for statement in first:
        await connection.execute(statement)
    await connection.execute(last, ["gd-1 ", "GD－1", "hot-2"])
    for phone in PHONES:
        await connection.execute(PARTY, "OTHER", "王 小\u200b明", phone, None)
    await connection.execute(PARTY, "COMPANY", "示例公司", None, "371525********0016")
