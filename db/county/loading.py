"""Builds the demo county in memory and copies it into an empty database in one transaction."""

from db.county import lifecycle, organizations, people, places, scenarios, seed_case
from db.county.builder import County
from db.county.deterministic import Row, Rows, people_names
from db.crypto import Cipher
from db.postgres.advisory_locks import AdvisoryLock
from db.postgres.connection import Connection

# Referenced tables first.
ORDER = (
    "area", "organization", "company", "compound", "person", "appointment", "mediator", "team", "team_member",
    "dispute", "party", "assignment", "escalation", "measure", "session", "attendance", "note", "extension", "agreement", "signature",
    "obligation", "performance", "confirmation", "follow_up", "referral", "event",
)  # fmt: skip


def build(cipher: Cipher) -> dict[str, list[Row]]:
    """All rows by table. Only ciphertexts and hashes differ from one secret to the next."""
    rows = Rows()
    built_places = places.build(rows)
    built_organizations = organizations.build(rows)
    built_people = people.build(rows, built_places, built_organizations)
    names = people_names({*built_people.ids, "李龙"})
    county = County(rows, built_places, built_organizations, built_people, cipher, names)
    # First: its parties are the first persons, from whose numbers phones and ID numbers are made.
    seed_case.build_seed_case(county)
    for case in scenarios.resolved():
        lifecycle.build_dispute(county, case)
    for case in scenarios.unresolved():
        lifecycle.build_dispute(county, case)
    lifecycle.number_cases(rows.tables["dispute"])
    return {table: rows.tables[table] for table in ORDER}


async def load(connection: Connection, cipher: Cipher) -> bool:
    """Load the county unless the database holds any area or dispute already. Returns whether it did."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", AdvisoryLock.LOAD_COUNTY)
        if await connection.fetchval("SELECT EXISTS (SELECT FROM area) OR EXISTS (SELECT FROM dispute)"):
            return False
        tables = build(cipher)
        archived = [row["id"] for row in tables["dispute"] if row["state"] == "ARCHIVED"]
        for table, rows in tables.items():
            columns = list(rows[0])
            if any(row.keys() != rows[0].keys() for row in rows):
                raise ValueError(f"{table}: rows of different shape")
            # An archive takes no more parts, so a dispute is archived when all of its own are there.
            records = [
                tuple(
                    "CLOSED" if table == "dispute" and name == "state" and row[name] == "ARCHIVED" else row[name]
                    for name in columns
                )
                for row in rows
            ]
            await connection.copy_records_to_table(table, records=records, columns=columns)
        await connection.execute("UPDATE dispute SET state = 'ARCHIVED' WHERE id = ANY ($1)", archived)
    await connection.execute("ANALYZE")
    return True
