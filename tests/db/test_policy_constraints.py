"""Versions of the policy keep their text and the four-eyes principle by the constraints and triggers of the database."""

import pytest

from db.postgres.address import Address
from tests.db.world import AUDITOR, POLICY_VERSION, PRINCIPAL, refused, undone

# By the auditor, to have an author at all.
DRAFTED = (
    POLICY_VERSION.format(id=1, state="DRAFT", published="NULL")
    .replace("(version, ", "(author_id, version, ", 1)
    .replace("SELECT ", f"SELECT {AUDITOR}, ", 1)
)
APPROVED = f"approver_id = {AUDITOR}, approved_digest = digest, approved_at = now()"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE policy_version SET text = 'other', sha256 = encode(sha256('other'), 'hex')",
        "UPDATE policy_version SET published_at = now() + interval '1 day'",
        "UPDATE policy_version SET state = 'DRAFT', published_at = NULL",
        f"UPDATE policy_version SET approver_id = {AUDITOR}",
        "DELETE FROM policy_version",
        "TRUNCATE policy_version",
    ],
)
async def test_a_published_policy_never_changes(county: Address, statement: str) -> None:
    async with undone(county) as connection:
        await connection.execute(POLICY_VERSION.format(id=1, state="PUBLISHED", published="now()"))
        await refused(connection, "policy_version_immutable", statement)


async def test_a_policy_is_drafted_published_and_retired(county: Address) -> None:
    async with undone(county) as connection:
        await connection.execute(POLICY_VERSION.format(id=1, state="DRAFT", published="NULL"))
        await connection.execute(f"UPDATE policy_version SET state = 'APPROVED', {APPROVED}")
        await connection.execute("UPDATE policy_version SET state = 'PUBLISHED', published_at = now()")
        await connection.execute("UPDATE policy_version SET state = 'RETIRED'")
    async with undone(county) as connection:
        await connection.execute(POLICY_VERSION.format(id=1, state="PUBLISHED", published="now()"))
        await refused(
            connection, "uq_policy_version_live", POLICY_VERSION.format(id=2, state="PUBLISHED", published="now()")
        )
    async with undone(county) as connection:
        await refused(
            connection,
            "ck_policy_version_sha256",
            POLICY_VERSION.format(id=1, state="DRAFT", published="NULL").replace(
                "convert_to(text", "convert_to('other'"
            ),
        )


OWN = f"UPDATE policy_version SET state = 'APPROVED', {APPROVED}"
BY_OTHER = OWN.replace(AUDITOR, PRINCIPAL)


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("ck_policy_version_four_eyes", OWN),
        ("ck_policy_version_four_eyes", f"{BY_OTHER}, second_approver_id = {PRINCIPAL}"),
        ("ck_policy_version_four_eyes", f"{BY_OTHER}, second_approver_id = {AUDITOR}"),
        ("ck_policy_version_approved_digest", BY_OTHER.replace("= digest", "= 'other'")),
        ("ck_policy_version_approved", "UPDATE policy_version SET state = 'APPROVED'"),
        ("ck_policy_version_second_approver", f"UPDATE policy_version SET second_approver_id = {PRINCIPAL}"),
        ("policy_version_immutable", "UPDATE policy_version SET state = 'PUBLISHED', published_at = now()"),
        ("policy_version_immutable", "UPDATE policy_version SET tests = ''"),
        ("policy_version_immutable", "UPDATE policy_version SET note = 'other'"),
        ("policy_version_immutable", "DELETE FROM policy_version"),
    ],
)
async def test_an_approver_is_not_the_author_and_approves_one_digest(
    county: Address, name: str, statement: str
) -> None:
    async with undone(county) as connection:
        await connection.execute(DRAFTED)
        await refused(connection, name, statement)


async def test_what_becomes_known_of_the_impact_voids_an_approval(county: Address) -> None:
    async with undone(county) as connection:
        await connection.execute(DRAFTED)
        await connection.execute(BY_OTHER)
        await connection.execute("UPDATE policy_version SET impact_sha256 = encode(sha256('x'), 'hex')")
        row = await connection.fetchrow("SELECT state, approver_id, approved_digest, approved_at FROM policy_version")
        assert tuple(row) == ("DRAFT", None, None, None)
