"""Public holidays and make-up days 2023-2026, as the General Office of the State Council announced them.

国办发明电〔2022〕16号, 〔2023〕7号, 〔2024〕12号, 〔2025〕7号. A year that is not here follows the week alone until it is added.
"""

import datetime as dt

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# name, first and last day of rest, days worked instead
HOLIDAYS = (
    ("元旦", "2022-12-31", "2023-01-02", ()),
    ("春节", "2023-01-21", "2023-01-27", ("2023-01-28", "2023-01-29")),
    ("清明节", "2023-04-05", "2023-04-05", ()),
    ("劳动节", "2023-04-29", "2023-05-03", ("2023-04-23", "2023-05-06")),
    ("端午节", "2023-06-22", "2023-06-24", ("2023-06-25",)),
    ("中秋节、国庆节", "2023-09-29", "2023-10-06", ("2023-10-07", "2023-10-08")),
    ("元旦", "2024-01-01", "2024-01-01", ()),
    ("春节", "2024-02-10", "2024-02-17", ("2024-02-04", "2024-02-18")),
    ("清明节", "2024-04-04", "2024-04-06", ("2024-04-07",)),
    ("劳动节", "2024-05-01", "2024-05-05", ("2024-04-28", "2024-05-11")),
    ("端午节", "2024-06-10", "2024-06-10", ()),
    ("中秋节", "2024-09-15", "2024-09-17", ("2024-09-14",)),
    ("国庆节", "2024-10-01", "2024-10-07", ("2024-09-29", "2024-10-12")),
    ("元旦", "2025-01-01", "2025-01-01", ()),
    ("春节", "2025-01-28", "2025-02-04", ("2025-01-26", "2025-02-08")),
    ("清明节", "2025-04-04", "2025-04-06", ()),
    ("劳动节", "2025-05-01", "2025-05-05", ("2025-04-27",)),
    ("端午节", "2025-05-31", "2025-06-02", ()),
    ("国庆节、中秋节", "2025-10-01", "2025-10-08", ("2025-09-28", "2025-10-11")),
    ("元旦", "2026-01-01", "2026-01-03", ("2026-01-04",)),
    ("春节", "2026-02-15", "2026-02-23", ("2026-02-14", "2026-02-28")),
    ("清明节", "2026-04-04", "2026-04-06", ()),
    ("劳动节", "2026-05-01", "2026-05-05", ("2026-05-09",)),
    ("端午节", "2026-06-19", "2026-06-21", ()),
    ("中秋节", "2026-09-25", "2026-09-27", ()),
    ("国庆节", "2026-10-01", "2026-10-07", ("2026-09-20", "2026-10-10")),
)


def differing() -> dict[dt.date, tuple[bool, str]]:
    """The days that differ from the week's rule: whether they are worked, and their name."""
    found: dict[dt.date, tuple[bool, str]] = {}
    for name, first, last, instead in HOLIDAYS:
        day, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
        while day <= end:
            if day.weekday() < 5:
                found[day] = (False, name)
            day += dt.timedelta(days=1)
        for one in instead:
            found[dt.date.fromisoformat(one)] = (True, f"{name}补班")
    return found


def upgrade() -> None:
    days = sa.table(
        "calendar_day", sa.column("day", sa.Date), sa.column("works", sa.Boolean), sa.column("label", sa.Text)
    )
    op.bulk_insert(days, [{"day": day, "works": works, "label": label} for day, (works, label) in differing().items()])
