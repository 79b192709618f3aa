"""What no sentence to a user may hold: the codes of the tables. Every answer that a test gets from a command is looked at."""

import re

from db.tables import metadata

CODES = {
    code
    for table in metadata.tables.values()
    for column in table.c
    for code in column.info.get("values", ())
}  # fmt: skip


def raw_codes(message: str) -> set[str]:
    """The codes that stand in a sentence instead of their labels."""
    return CODES & set(re.findall(r"[A-Z][A-Z0-9_]+", message))
