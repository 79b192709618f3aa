"""The demo county: the figures that were reported, the seed case with its dates, and the same data on every machine."""

import hashlib
import json
import re
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from db.calendar import COUNTY_ZONE, mediation_due
from db.canonical.check_digits import is_credit_code
from db.canonical.personal_data import find_personal_data
from db.county.builder import RESOLVED_STATES
from db.county.deterministic import WEEKS, Row
from db.county.loading import build, load
from db.county.people import PRINCIPALS
from db.county.scenarios import RESOLVED_COUNT
from db.crypto import Cipher
from db.postgres.address import Address
from db.tables import metadata
from tests.db.world import connected

SECRET = bytes(range(32))
SINCE = "concluded_at >= '2023-01-01+08'"
RESOLVED = f"result = 'PERFORMED' AND {SINCE}"
SEED = "(SELECT dispute_id FROM party WHERE name = '李龙')"
ROLES = (
    "grid_worker legal_adviser law_leader mediator squad_member centre_staff police justice_office governance_centre court "
    "agency_hotline agency_petition housing bureau_admin analyst auditor system_admin security_admin"
).split()


async def value(address: Address, query: str) -> Any:
    async with connected(address) as connection:
        return await connection.fetchval(query)


async def rows(address: Address, query: str) -> list[dict[str, Any]]:
    async with connected(address) as connection:
        return [dict(row) for row in await connection.fetch(query)]


def fingerprint(tables: dict[str, list[Row]]) -> str:
    """Of everything but the ciphertexts and hashes, which differ with the secret and, by their nonce, every time."""
    hidden = {"id_number_cipher", "id_number_hash"}
    plain = {
        table: [{name: str(cell) for name, cell in row.items() if name not in hidden} for row in lines]
        for table, lines in tables.items()
    }
    return hashlib.sha256(json.dumps(plain, ensure_ascii=False).encode()).hexdigest()


async def test_117_resolved_and_every_one_visited(county: Address) -> None:
    done = "EXISTS (SELECT FROM follow_up WHERE dispute_id = dispute.id AND done_at IS NOT NULL)"
    assert await value(county, f"SELECT count(*) FROM dispute WHERE {RESOLVED}") == RESOLVED_COUNT == 117
    assert await value(county, f"SELECT count(*) FROM dispute WHERE {RESOLVED} AND {done}") == 117
    assert await value(county, "SELECT count(*) FROM dispute") == 200


async def test_the_resolved_are_resolved_by_agreement_and_performance(county: Address) -> None:
    flawed = f"""SELECT id FROM dispute WHERE {RESOLVED} AND NOT (
        EXISTS (SELECT FROM agreement WHERE dispute_id = dispute.id AND scope = 'FULL' AND state = 'EFFECTIVE')
        AND EXISTS (SELECT FROM obligation WHERE dispute_id = dispute.id)
        AND NOT EXISTS (SELECT FROM obligation WHERE dispute_id = dispute.id AND state <> 'PERFORMED')
        AND EXISTS (SELECT FROM session WHERE dispute_id = dispute.id AND result = 'AGREED')
        AND EXISTS (SELECT FROM follow_up WHERE dispute_id = dispute.id AND satisfaction IS NOT NULL))"""
    assert await rows(county, flawed) == []


async def test_no_mediation_exceeds_its_month_without_an_extension(county: Address) -> None:
    late = f"""SELECT case_number FROM dispute WHERE {RESOLVED} AND concluded_at::date > due_on"""
    assert await rows(county, late) == []
    assert await value(county, "SELECT count(*) FROM extension") > 10


async def test_the_seed_case_has_the_reported_dates(county: Address) -> None:
    (dispute,) = await rows(
        county,
        f"""SELECT dispute.*, accepted_at AT TIME ZONE '{COUNTY_ZONE}' AS accepted, registered_at AT TIME ZONE '{COUNTY_ZONE}' AS registered
            FROM dispute WHERE id = {SEED}""",
    )
    assert (dispute["town_code"], dispute["sub_category"], dispute["state"]) == ("371525002", "P02", "CLOSED")
    assert dispute["registered"].date() == dispute["accepted"].date() == date(2023, 12, 27)
    assert re.fullmatch(r"\(2023\)崇文人调字第[0-9]{3}号", dispute["case_number"])
    assert "李龙" not in dispute["title"] + dispute["public_summary"] + dispute["summary"]

    (party,) = await rows(county, f"SELECT * FROM party WHERE dispute_id = {SEED} AND is_natural_person")
    assert (party["is_alias"], party["id_number"]) == (True, "371525********0016")
    assert Cipher(SECRET).decrypt(party["id_number_cipher"], row_id=party["id"]) == "371525190001010016"

    (measure,) = await rows(
        county, f"SELECT *, requested_at AT TIME ZONE '{COUNTY_ZONE}' AS at FROM measure WHERE dispute_id = {SEED}"
    )
    assert (measure["kind"], measure["at"].isoformat()) == ("WATER", "2023-12-27T10:00:00")
    assert measure["hours_to_restore"] <= 24
    (extension,) = await rows(county, f"SELECT * FROM extension WHERE dispute_id = {SEED}")
    assert extension["from_on"] == date(2024, 1, 29)
    assert extension["consented_on"] <= date(2024, 1, 29)
    assert extension["to_on"] == dispute["due_on"] >= date(2024, 2, 20)

    (agreement,) = await rows(county, f"SELECT * FROM agreement WHERE dispute_id = {SEED}")
    assert agreement["agreed_on"] == agreement["effective_on"] == date(2024, 2, 20)
    assert agreement["confirm_by_on"] == date(2024, 3, 21)
    assert (agreement["form"], agreement["scope"], agreement["copies"]) == ("WRITTEN", "FULL", 3)
    assert (agreement["effective_on"] - dispute["accepted"].date()).days == 55
    (obligation,) = await rows(county, f"SELECT * FROM obligation WHERE dispute_id = {SEED}")
    assert (obligation["kind"], obligation["state"], obligation["performed_on"]) == (
        "PAY",
        "PERFORMED",
        date(2024, 2, 20),
    )
    assert obligation["amount"] > Decimal(0)
    leads = await rows(county, f"SELECT is_lead FROM assignment WHERE dispute_id = {SEED} AND ended_at IS NULL")
    assert sorted(lead["is_lead"] for lead in leads) == [False, True]
    circles = await rows(county, f"SELECT DISTINCT visibility FROM note WHERE dispute_id = {SEED}")
    assert {circle["visibility"] for circle in circles} == {"SHARED", "TEAM", "CAUCUS"}


async def test_every_state_tier_kind_and_source_is_there(county: Address) -> None:
    for table, columns in {
        "dispute": ("state", "tier", "sub_category", "source", "category", "risk_level"),
        "referral": ("kind",),
        "note": ("visibility",),
        "confirmation": ("result",),
        "obligation": ("state", "kind"),
    }.items():
        # Every agreement of the county was signed or never drafted, so none of its obligations is a draft's.
        absent = {
            ("confirmation", "WITHDRAWN"),
            ("obligation", "RESCINDED"),
            ("obligation", "DRAFT"),
            ("source", "OTHER"),
            ("obligation", "EXCUSED"),
            ("obligation", "DEFAULTED"),
        }
        for column in columns:
            values = set(metadata.tables[table].c[column].info["values"])
            found = {row[column] for row in await rows(county, f"SELECT DISTINCT {column} FROM {table}")} - {None}
            assert {
                one for one in values - found if (table, one) not in absent and (column, one) not in absent
            } == set(), column


async def test_each_role_has_its_principal_and_a_colleague_elsewhere(county: Address) -> None:
    assert list(PRINCIPALS) == ROLES
    held = await rows(
        county,
        "SELECT role, name, area_code, organization_id FROM appointment JOIN person ON person.id = person_id WHERE valid_to IS NULL",
    )
    for role, name in PRINCIPALS.items():
        assert [one for one in held if (one["role"], one["name"]) == (role, name)], role
        if role not in ("auditor", "system_admin", "security_admin", "analyst"):
            assert len({one["name"] for one in held if one["role"] == role}) >= 2, role
    for role in ("squad_member", "court", "police", "centre_staff", "justice_office", "governance_centre"):
        assert len({one["organization_id"] for one in held if one["role"] == role}) >= 2, role
    posts = Counter(one["name"] for one in held)
    assert max(posts.values()) == 3
    assert await value(county, "SELECT count(*) FROM person WHERE state = 'SUSPENDED'") == 1
    assert await value(county, "SELECT count(*) FROM appointment WHERE valid_to = '2024-06-30'") == 1
    assert await value(county, "SELECT count(*) FROM appointment WHERE valid_from = '2099-01-01'") == 1
    assert await value(county, "SELECT count(DISTINCT name) = count(*) FROM person") is True
    # The policy finds a member's disputes by the team of which the member has that role.
    for role in ("grid_worker", "legal_adviser", "law_leader", "mediator"):
        found = f"""SELECT count(*) FROM team_member JOIN person ON person.id = person_id JOIN dispute USING (team_id)
            WHERE name = '{PRINCIPALS[role]}' AND role = '{role.upper()}' AND dispute.id = {SEED}"""
        assert await value(county, found) == 1, role


@pytest.mark.parametrize(
    ("role", "kinds"),
    [
        ("court", {"CONFIRMATION", "COURT_REFERRAL", "INVITATION"}),
        ("police", {"INVITATION", "RISK_REPORT"}),
        ("housing", {"LEAD", "TRANSFER"}),
        ("governance_centre", {"INVITATION"}),
    ],
)
async def test_each_agency_has_received_referrals(county: Address, role: str, kinds: set[str]) -> None:
    found = await rows(
        county,
        f"""SELECT DISTINCT kind FROM referral JOIN appointment USING (organization_id) JOIN person ON person.id = person_id
            WHERE name = '{PRINCIPALS[role]}'""",
    )
    assert {row["kind"] for row in found} == kinds


async def test_a_dispute_from_an_agency_has_its_reference_and_its_caller(county: Address) -> None:
    sent = await rows(
        county,
        """SELECT external_ref, (SELECT count(*) FROM party WHERE dispute_id = dispute.id AND supplied_by_id = source_organization_id) AS callers
            FROM dispute WHERE source IN ('HOTLINE', 'PETITION', 'POLICE', 'COURT', 'GOVERNANCE_CENTRE', 'DEPARTMENT')""",
    )
    assert len(sent) > 40
    assert all(one["external_ref"] and one["callers"] == 1 for one in sent)


async def test_case_numbers_have_no_gap_and_follow_acceptance(county: Address) -> None:
    series = await rows(
        county,
        """SELECT committee_id, case_year, array_agg(case_sequence ORDER BY accepted_at, id) AS numbers
            FROM dispute WHERE case_number IS NOT NULL GROUP BY 1, 2""",
    )
    assert len(series) > 18
    for one in series:
        assert one["numbers"] == list(range(1, len(one["numbers"]) + 1))


async def test_titles_and_public_summaries_name_nobody(county: Address) -> None:
    names = {row["name"] for row in await rows(county, "SELECT name FROM party WHERE is_natural_person")}
    for row in await rows(county, "SELECT title, public_summary, outcome FROM dispute"):
        text = " ".join(cell or "" for cell in row.values())
        assert not re.search(r"[0-9]+号楼|单元|[0-9]室|1[0-9]{10}|某(?!小区)", text), text
        assert not any(name in text for name in names), text


async def test_the_events_of_a_dispute_are_a_chain_of_states(county: Address) -> None:
    broken = """SELECT dispute_id FROM (
        SELECT dispute_id, from_state, lag(to_state) OVER (PARTITION BY dispute_id ORDER BY at, id) AS before
        FROM event WHERE to_state IS NOT NULL) AS step WHERE from_state IS DISTINCT FROM before"""
    assert await rows(county, broken) == []
    ends = """SELECT id FROM dispute WHERE state IS DISTINCT FROM (
        SELECT to_state FROM event WHERE dispute_id = dispute.id AND to_state IS NOT NULL ORDER BY at DESC LIMIT 1)"""
    assert await rows(county, ends) == []


async def test_companies_have_well_formed_codes(county: Address) -> None:
    codes = [row["credit_code"] for row in await rows(county, "SELECT credit_code FROM company")]
    codes += [
        row["credit_code"] for row in await rows(county, "SELECT credit_code FROM party WHERE credit_code IS NOT NULL")
    ]
    assert all(is_credit_code(code) for code in codes)


def test_the_rows_do_not_depend_on_the_secret() -> None:
    assert fingerprint(build(Cipher(SECRET))) == fingerprint(build(Cipher(bytes(32))))


def test_the_month_ends_as_the_civil_code_says() -> None:
    assert mediation_due(date(2023, 12, 27), WEEKS) == date(2024, 1, 29)  # 27 January is a Saturday
    assert mediation_due(date(2024, 1, 31), WEEKS) == date(2024, 2, 29)
    assert mediation_due(date(2023, 12, 31), WEEKS) == date(2024, 1, 31)
    # 30 December is a Saturday, 1 January a holiday without any notice.
    assert mediation_due(date(2023, 11, 30), WEEKS) == date(2024, 1, 2)


async def test_two_loads_store_the_same(own_county: Address, database: Address) -> None:
    digest = """SELECT md5(string_agg(line, E'\n' ORDER BY line)) FROM (
        SELECT (to_jsonb(t) - 'id_number_cipher' - 'id_number_hash')::text AS line FROM {} AS t) AS lines"""
    async with connected(database) as connection:
        assert await load(connection, Cipher(bytes(32))) is True
    for table in metadata.sorted_tables:
        if table.name in ("access_epoch", "token", "policy_version"):
            continue
        assert await value(own_county, digest.format(table.name)) == await value(database, digest.format(table.name)), (
            table.name
        )


async def test_a_second_load_does_nothing(own_county: Address) -> None:
    async with connected(own_county) as connection:
        assert await load(connection, Cipher(SECRET)) is False
    assert await value(own_county, "SELECT count(*) FROM dispute") == 200


async def test_a_stolen_dump_holds_no_id_number(county: Address) -> None:
    """Every text, every bytea and every JSON of the database, as a dump would hold them."""
    numbers = [
        Cipher(SECRET).decrypt(row["id_number_cipher"], row_id=row["id"])
        for row in await rows(county, "SELECT id, id_number_cipher FROM party WHERE id_number_cipher IS NOT NULL")
    ]
    assert len(numbers) > 200
    async with connected(county) as connection:
        for table in metadata.sorted_tables:
            dump = bytearray()
            await connection.copy_from_table(
                table.name, output=lambda part, dump=dump: _take(dump, part), format="text"
            )
            await connection.copy_from_table(
                table.name, output=lambda part, dump=dump: _take(dump, part), format="binary"
            )
            for number in numbers:
                assert number.encode() not in dump, table.name
                assert number[6:14].encode() not in dump or table.name != "party"
                assert number.encode().hex().encode() not in dump, table.name


async def _take(dump: bytearray, part: bytes) -> None:
    dump.extend(part)


def test_a_follow_up_is_after_the_performance() -> None:
    """No visit before the performance."""
    tables = build(Cipher(SECRET))
    last: dict[Any, date] = {}
    for row in tables["obligation"]:
        if row["performed_on"]:
            last[row["dispute_id"]] = max(row["performed_on"], last.get(row["dispute_id"], date.min))
    states = {row["id"]: row["state"] for row in tables["dispute"]}
    for row in tables["follow_up"]:
        if row["done_at"] and states[row["dispute_id"]] in RESOLVED_STATES:
            assert row["done_at"] >= last[row["dispute_id"]] + timedelta(days=0)


async def test_no_text_that_many_read_tells_personal_data(county: Address) -> None:
    """The county keeps the rules of its commands: every shared text of every table, with the names of the parties of its own dispute."""
    parties = await rows(county, "SELECT dispute_id, name FROM party WHERE is_natural_person AND NOT is_alias")
    names: dict[Any, list[str]] = {}
    for one in parties:
        names.setdefault(one["dispute_id"], []).append(one["name"])
    for table in metadata.sorted_tables:
        texts = [column.name for column in table.c if column.info.get("form") == "shared"]
        of = "id" if table.name == "dispute" else "dispute_id" if "dispute_id" in table.c else "NULL"
        for row in (
            await rows(county, f"SELECT {', '.join([*texts, f'{of} AS of'])} FROM {table.name}") if texts else ()
        ):
            told = {text: find_personal_data(row[text] or "", names.get(row["of"], ())) for text in texts}
            assert not any(told.values()), (table.name, told)
