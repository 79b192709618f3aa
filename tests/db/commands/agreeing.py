"""What the tests of agreements share: the dates of the seed case, and an agreement brought into force."""

import datetime as dt
from typing import Any
from uuid import UUID

from db.calendar import COUNTY_TIME
from tests.office import HOUR, Case, Office, key_of

STARTED = dt.datetime(2023, 12, 27, 9, tzinfo=COUNTY_TIME)
AGREED = dt.datetime(2024, 2, 20, 10, tzinfo=COUNTY_TIME)
AGREED_ON, CONFIRM_BY_ON = dt.date(2024, 2, 20), dt.date(2024, 3, 21)
DAY = dt.timedelta(days=1)


def pay(case: Case, amount: str = "1860.00", due_on: dt.date = AGREED_ON, **more: Any) -> dict[str, Any]:
    """An obligation of the owner to pay."""
    return {
        "party_id": case.applicant, "kind": "PAY", "content": "补缴物业费", "amount": amount, "due_on": due_on, **more,
    }  # fmt: skip


async def drafted(
    office: Office,
    *obligations: dict[str, Any],
    form: str = "WRITTEN",
    case: Case | None = None,
    agreed: dt.datetime = AGREED,
) -> tuple[Case, UUID]:
    """A case with the dates of the seed case and a fresh agreement; one obligation to pay unless others are given."""
    case = case or await office.mediating(STARTED)
    await office.talk(case)
    shown = await office.must(
        "mediator", "agreementDraft", dispute_id=case.key, happened_at=agreed, form=form, content="双方达成一致。",
        obligations=list(obligations) or [pay(case, due_on=agreed.date())],
    )  # fmt: skip
    return case, key_of(shown["id"])


async def sign_all(
    office: Office, case: Case, agreement: UUID, at: dt.datetime = AGREED + HOUR, *, sealed: bool = False
) -> Any:
    """The seal (unless it is there), the mediator and both parties; the agreement after the last."""
    shown = None
    for given in (
        *([] if sealed else [{"kind": "SEAL"}]),
        {"kind": "MEDIATOR"},
        {"kind": "PARTY", "party_id": case.applicant},
        {"kind": "PARTY", "party_id": case.respondent},
    ):
        shown = await office.sign(agreement, at, "state effectiveOn confirmByOn", **given)
    return shown


async def in_force(
    office: Office, *obligations: dict[str, Any], case: Case | None = None, agreed: dt.datetime = AGREED
) -> tuple[Case, UUID, list[UUID]]:
    """A written agreement in force since 2024-02-20 and its obligations in the order of their due dates."""
    case, agreement = await drafted(office, *obligations, case=case, agreed=agreed)
    await sign_all(office, case, agreement, agreed + HOUR)
    return case, agreement, await owed(office, agreement)


async def owed(office: Office, agreement: UUID) -> list[UUID]:
    rows = await office.rows(
        "SELECT id FROM obligation WHERE agreement_id = $1 ORDER BY due_on, content, id", agreement
    )
    return [row["id"] for row in rows]
