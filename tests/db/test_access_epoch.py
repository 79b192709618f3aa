"""The access epoch: bumped by the triggers of the database with every change of rights, and by nothing else."""

import pytest

from db.postgres.address import Address
from tests.db.world import OPEN, POLICY_VERSION, PRINCIPAL, refused, undone

TOKEN = f"""INSERT INTO token (prefix, hash, person_id, label, expires_at)
    VALUES ('sl_test', '\\x00', {PRINCIPAL}, '测试', '2099-01-01')"""


@pytest.mark.parametrize(
    ("statement", "bumps"),
    [
        (TOKEN, True),
        ("UPDATE token SET revoked_at = now()", True),
        ("UPDATE token SET expires_at = now()", True),
        ("UPDATE token SET last_used_at = now()", False),
        ("UPDATE token SET label = ''", False),
        ("DELETE FROM token", True),
        ("TRUNCATE token", True),
        (f"UPDATE person SET state = 'SUSPENDED' WHERE id = {PRINCIPAL}", True),
        (f"UPDATE person SET phone = NULL WHERE id = {PRINCIPAL}", False),
        (f"UPDATE appointment SET valid_to = '2099-01-01' WHERE person_id = {PRINCIPAL}", True),
        (f"DELETE FROM appointment WHERE person_id = {PRINCIPAL}", True),
        (f"UPDATE mediator SET full_time = false WHERE person_id = {PRINCIPAL}", True),
        ("UPDATE team SET state = 'DISSOLVED' WHERE state = 'FORMING'", True),
        ("UPDATE team_member SET valid_to = valid_to", True),
        ("UPDATE organization SET area_code = area_code", True),
        ("UPDATE organization SET phone = NULL", False),
        (POLICY_VERSION.format(id=1, state="PUBLISHED", published="now()"), True),
        (POLICY_VERSION.format(id=1, state="DRAFT", published="NULL"), False),
        (f"UPDATE dispute SET version = version + 1 WHERE id = {OPEN}", False),
        (f"UPDATE assignment SET ended_at = now() WHERE dispute_id = {OPEN}", False),
    ],
)
async def test_what_decides_access_bumps_the_epoch(county: Address, statement: str, bumps: bool) -> None:
    async with undone(county) as connection:
        if statement != TOKEN:
            await connection.execute(TOKEN)
        before = await connection.fetchval("SELECT epoch FROM access_epoch")
        await connection.execute(statement)
        assert (await connection.fetchval("SELECT epoch FROM access_epoch") > before) is bumps


async def test_there_is_one_epoch(county: Address) -> None:
    async with undone(county) as connection:
        await refused(connection, "ck_access_epoch_single", "INSERT INTO access_epoch (id, epoch) VALUES (2, 1)")
