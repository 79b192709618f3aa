"""Each invariant of the domain is kept by the database itself, and each refusal says by name which one was broken."""

import asyncpg
import pytest

from db.calendar import COUNTY_ZONE
from db.postgres.address import Address
from db.resources.catalog import RESOURCES
from db.tables import metadata
from tests.db.world import AUDITOR, OPEN, PRINCIPAL, connected, refused, undone

pytestmark = pytest.mark.filterwarnings("error")

SEED = "(SELECT dispute_id FROM party WHERE name = '李龙')"
ARCHIVED = "(SELECT id FROM dispute WHERE state = 'ARCHIVED' ORDER BY case_number LIMIT 1)"
ARCHIVED_WRITTEN = (
    "(SELECT dispute_id FROM signature JOIN dispute ON dispute.id = dispute_id WHERE state = 'ARCHIVED' LIMIT 1)"
)
TEAM = "(SELECT team_id FROM dispute WHERE id = (SELECT dispute_id FROM party WHERE name = '李龙'))"


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        # one lead mediator
        ("uq_assignment_lead", f"UPDATE assignment SET is_lead = true WHERE dispute_id = {SEED}"),
        (
            "fk_assignment_person_id",
            f"UPDATE assignment SET person_id = {AUDITOR} WHERE dispute_id = {SEED} AND is_lead",
        ),
        (
            "fk_assignment_dispute_id_dispute_registered_at",
            f"UPDATE assignment SET dispute_registered_at = now() WHERE dispute_id = {SEED}",
        ),
        # teams: one of each role
        (
            "team_complete",
            f"UPDATE team_member SET valid_to = '2024-03-01' WHERE team_id = {TEAM} AND role = 'MEDIATOR'",
        ),
        ("team_complete", f"DELETE FROM team_member WHERE team_id = {TEAM} AND role = 'LAW_LEADER'"),
        ("team_complete", "UPDATE team SET state = 'ACTIVE' WHERE state = 'FORMING'"),
        (
            "team_complete",
            f"UPDATE team_member SET team_id = (SELECT id FROM team WHERE state = 'FORMING') WHERE team_id = {TEAM} AND role = 'MEDIATOR'",
        ),
        (
            "uq_team_member_active_role",
            f"INSERT INTO team_member (role, valid_from, team_id, person_id) VALUES ('GRID_WORKER', '2024-01-01', {TEAM}, {PRINCIPAL})",
        ),
        (
            "uq_team_active_grid",
            f"INSERT INTO team (name, state, formed_on, grid_code) SELECT '又一个', 'ACTIVE', '2024-01-01', grid_code FROM team WHERE id = {TEAM}",
        ),
        # case numbers
        (
            "uq_dispute_case_number",
            f"UPDATE dispute SET case_number = (SELECT case_number FROM dispute WHERE id = {SEED}) WHERE id = {OPEN}",
        ),
        (
            "uq_dispute_committee_id_case_year_case_sequence",
            f"""UPDATE dispute SET (committee_id, case_year, case_sequence) =
                (SELECT committee_id, case_year, case_sequence FROM dispute WHERE id = {SEED}) WHERE id = {OPEN}""",
        ),
        (
            "ck_dispute_accepted_has_number",
            f"UPDATE dispute SET accepted_at = NULL, concluded_at = NULL WHERE id = {OPEN}",
        ),
        ("ck_dispute_accepted_has_number", "UPDATE dispute SET accepted_at = registered_at WHERE state = 'REGISTERED'"),
        ("ck_dispute_case_number_parts", f"UPDATE dispute SET case_year = NULL WHERE id = {OPEN}"),
        (
            "uq_dispute_source_organization_id_external_ref",
            """UPDATE dispute SET external_ref = (SELECT external_ref FROM dispute WHERE source = 'HOTLINE' ORDER BY id LIMIT 1)
               WHERE source = 'HOTLINE'""",
        ),
        # the life of a dispute
        ("ck_dispute_order", f"UPDATE dispute SET closed_at = concluded_at - interval '1 minute' WHERE id = {SEED}"),
        (
            "ck_dispute_course",
            f"UPDATE dispute SET due_on = (registered_at AT TIME ZONE '{COUNTY_ZONE}')::date - 1 WHERE id = {SEED}",
        ),
        ("ck_dispute_closed_at", f"UPDATE dispute SET closed_at = NULL WHERE id = {SEED}"),
        ("ck_dispute_squad_owner", f"UPDATE dispute SET tier = 'SQUAD' WHERE id = {OPEN}"),
        ("ck_dispute_centre_owner", f"UPDATE dispute SET tier = 'CENTRE' WHERE id = {OPEN}"),
        ("ck_dispute_state_code", f"UPDATE dispute SET state = 'LOST' WHERE id = {OPEN}"),
        ("ck_dispute_sub_category_code", f"UPDATE dispute SET sub_category = 'P20' WHERE id = {OPEN}"),
        # amounts
        ("ck_dispute_amount_claimed", f"UPDATE dispute SET amount_claimed = -1 WHERE id = {OPEN}"),
        ("ck_obligation_amount", f"UPDATE obligation SET amount = -0.01 WHERE dispute_id = {SEED}"),
        ("ck_performance_amount", f"UPDATE performance SET amount = -0.01 WHERE dispute_id = {SEED}"),
        # agreements
        (
            "agreement_effective",
            f"UPDATE agreement SET effective_on = '2024-02-19', agreed_on = '2024-02-19' WHERE dispute_id = {SEED}",
        ),
        (
            "agreement_effective",
            f"UPDATE signature SET signed_on = '2024-02-21' WHERE dispute_id = {SEED} AND kind = 'SEAL'",
        ),
        ("agreement_effective", f"DELETE FROM signature WHERE dispute_id = {SEED} AND kind = 'MEDIATOR'"),
        ("agreement_effective", f"DELETE FROM signature WHERE dispute_id = {SEED} AND kind = 'SEAL'"),
        (
            "agreement_effective",
            f"DELETE FROM signature WHERE dispute_id = {SEED} AND party_id = (SELECT id FROM party WHERE name = '李龙')",
        ),
        (
            "agreement_effective",
            "UPDATE agreement SET state = 'EFFECTIVE', effective_on = '2024-02-28' WHERE state = 'DRAFT'",
        ),
        ("ck_agreement_effective", f"UPDATE agreement SET effective_on = NULL WHERE dispute_id = {SEED}"),
        ("ck_agreement_effective_order", f"UPDATE agreement SET agreed_on = '2024-02-21' WHERE dispute_id = {SEED}"),
        ("ck_signature_signer", f"UPDATE signature SET party_id = NULL WHERE dispute_id = {SEED} AND kind = 'PARTY'"),
        # performance
        (
            "obligation_proof",
            "UPDATE obligation SET state = 'PERFORMED', performed_on = '2024-02-28' WHERE state = 'PENDING'",
        ),
        ("obligation_proof", f"DELETE FROM performance WHERE dispute_id = {SEED}"),
        ("obligation_proof", f"UPDATE performance SET kind = 'URGE' WHERE dispute_id = {SEED}"),
        ("ck_performance_proof", f"UPDATE performance SET evidence = NULL WHERE dispute_id = {SEED}"),
        ("ck_obligation_performed", f"UPDATE obligation SET performed_on = NULL WHERE dispute_id = {SEED}"),
        # consent, extension, measures, visits, the court
        ("ck_party_consent_day", f"UPDATE party SET consent_on = NULL WHERE dispute_id = {SEED}"),
        ("ck_extension_before_expiry", f"UPDATE extension SET consented_on = '2024-01-30' WHERE dispute_id = {SEED}"),
        (
            "ck_measure_dates",
            f"UPDATE measure SET done_at = requested_at - interval '1 minute' WHERE dispute_id = {SEED}",
        ),
        ("ck_follow_up_done", f"UPDATE follow_up SET result = NULL WHERE dispute_id = {SEED}"),
        ("ck_follow_up_satisfaction", f"UPDATE follow_up SET satisfaction = 6 WHERE dispute_id = {SEED}"),
        (
            "ck_confirmation_decided",
            "UPDATE confirmation SET decided_on = NULL WHERE result = 'CONFIRMED' AND applied_on > '2023-11-12'",
        ),
        # the three administrators
        (
            "appointment_administrator",
            f"""INSERT INTO appointment (role, valid_from, person_id, organization_id, area_code)
                SELECT 'system_admin', valid_from, person_id, organization_id, area_code FROM appointment WHERE person_id = {AUDITOR}""",
        ),
        # ID numbers are stored masked only
        ("ck_party_id_number_masked", "UPDATE party SET id_number = '371525190001010016' WHERE name = '李龙'"),
        ("ck_party_id_number", "UPDATE party SET id_number_hash = NULL WHERE name = '李龙'"),
        # a part never hangs on somebody else's dispute
        (
            "fk_obligation_party_id_dispute_id",
            f"UPDATE obligation SET party_id = (SELECT id FROM party WHERE dispute_id = {OPEN} LIMIT 1) WHERE dispute_id = {SEED}",
        ),
    ],
)
async def test_refused_by_name(county: Address, name: str, statement: str) -> None:
    async with undone(county) as connection:
        await refused(connection, name, statement)


async def test_a_team_may_change_its_member_within_one_transaction(county: Address) -> None:
    async with undone(county) as connection:
        await connection.execute(
            f"UPDATE team_member SET valid_to = '2024-03-01' WHERE team_id = {TEAM} AND role = 'MEDIATOR'"
        )
        await connection.execute(
            f"INSERT INTO team_member (role, valid_from, team_id, person_id) VALUES ('MEDIATOR', '2024-03-02', {TEAM}, {PRINCIPAL})"
        )
        await connection.execute("SET CONSTRAINTS ALL IMMEDIATE")


async def test_changes_of_teams_wait_for_each_other(own_county: Address) -> None:
    """Otherwise each of two transactions could still see what the other is taking away."""
    async with connected(own_county) as first, connected(own_county) as second:
        await second.execute("SET lock_timeout = '100ms'")
        async with first.transaction():
            await first.execute(f"UPDATE team SET name = '新名', state = 'DISSOLVED' WHERE id = {TEAM}")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await second.execute("UPDATE team_member SET valid_to = '2024-03-01' WHERE role = 'MEDIATOR'")


# What hangs on a dispute and freezes with it. Events and alerts do not: an archive may be read, and an alert closed late. Tallies are
# no part of it: they follow what it says.
PARTS = sorted(
    table.name
    for table in metadata.sorted_tables
    if "dispute_id" in table.c and table.name not in ("event", "alert", "tally", "tally_change")
)
# The parts of which archived disputes of the demo county have some.
FILLED = (
    "agreement", "assignment", "attendance", "confirmation", "extension", "follow_up", "measure", "note", "obligation",
    "party", "performance", "referral", "session", "signature",
)  # fmt: skip


async def test_every_part_is_frozen_with_its_dispute(county: Address) -> None:
    async with undone(county) as connection:
        found = await connection.fetch(
            "SELECT tgrelid::regclass::text AS part FROM pg_trigger WHERE tgname = 'dispute_archived'"
        )
    assert sorted({row["part"] for row in found} - {"dispute"}) == PARTS


async def test_an_archived_dispute_never_changes(county: Address) -> None:
    async with undone(county) as connection:
        await refused(connection, "dispute_archived", f"UPDATE dispute SET title = title WHERE id = {ARCHIVED}")
    async with undone(county) as connection:
        await refused(connection, "dispute_archived", f"DELETE FROM dispute WHERE id = {ARCHIVED}")
    async with undone(county) as connection:
        await refused(connection, "dispute_archived", f"UPDATE dispute SET state = 'CLOSED' WHERE id = {ARCHIVED}")


@pytest.mark.parametrize("table", FILLED)
async def test_nor_do_its_parts(county: Address, table: str) -> None:
    archived = f"(SELECT dispute_id FROM {table} JOIN dispute ON dispute.id = dispute_id WHERE dispute.state = 'ARCHIVED' LIMIT 1)"
    columns = [column.name for column in metadata.tables[table].c if column.name != "id" and column.computed is None]
    values = ", ".join("dispute_id" if name == "dispute_id" else name for name in columns)
    for statement in (
        f"UPDATE {table} SET dispute_id = dispute_id WHERE dispute_id = {archived}",
        f"DELETE FROM {table} WHERE dispute_id = {archived}",
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE dispute_id = {archived}",
    ):
        async with undone(county) as connection:
            assert await connection.fetchval(f"SELECT {archived}"), "the county has none: the test would be empty"
            await refused(connection, "dispute_archived", statement)


async def test_an_archive_may_still_be_spoken_of(county: Address) -> None:
    """Reading one is recorded, and a rebound points to it."""
    async with undone(county) as connection:
        await connection.execute(
            f"INSERT INTO event (dispute_id, at, action, resource, resource_id) SELECT id, now(), 'party.reveal', 'Dispute', id"
            f" FROM dispute WHERE id = {ARCHIVED}"
        )
        await connection.execute(f"UPDATE dispute SET previous_id = {ARCHIVED} WHERE id = {OPEN}")


@pytest.mark.parametrize(
    "statement",
    ["UPDATE event SET reason = NULL", "DELETE FROM event", "TRUNCATE event", "DELETE FROM event WHERE false"],
)
async def test_events_are_only_added_even_by_the_owner(county: Address, statement: str) -> None:
    async with undone(county) as connection:
        await refused(connection, "event_append_only", statement)


def test_every_personal_field_declares_its_class() -> None:
    """A column without a class cannot be selected, so what is personal is either classed or out of reach."""
    party = metadata.tables["party"]
    classes = {column.name: column.info.get("field_class") for column in party.c}
    assert classes["name"] == classes["agent_name"] == "name"
    assert (classes["phone"], classes["address"], classes["id_number"]) == ("contact", "address", "identity")
    assert classes["id_number_cipher"] is None
    assert classes["id_number_hash"] is None
    assert classes["is_minor"] == "sensitive"


def test_every_part_has_a_dispute() -> None:
    """`Visibility.row` joins it by an outer join: where a part might lack its dispute, a negated condition would meet NULL."""
    parts = {name: one.table.c.dispute_id for name, one in RESOURCES.items() if one.part}
    assert {name for name, column in parts.items() if column.nullable} == {"Event"}
    for name, column in parts.items():
        assert "dispute.id" in {key.target_fullname for key in column.foreign_keys}, name
