"""Disputes at the turns of their life that the demo county hardly has, made through the commands."""

import datetime as dt
from typing import Any
from uuid import UUID

from tests.laws.examples import organization_of
from tests.office import DAY, HOUR, Case, Office

VISITED = {"method": "PHONE", "result": "NORMAL", "satisfaction": 4}


async def fresh(office: Office) -> list[UUID]:
    """Their ids: before and while mediating, handed over, agreed, ended, and with unusual parties."""
    cases = [
        *await _early(office),
        *await _handed_over(office),
        *await _agreed(office),
        *await _disputed(office),
        *await _ended(office),
        *await _unusual(office),
    ]
    return [case.key for case in cases]


async def _early(office: Office) -> list[Case]:
    cases = [await office.register(), await office.register("grid_worker"), await office.accepted()]
    half = await office.accepted()
    await office.must("mediator", "disputeConsent", id=half.key, party_id=half.applicant)
    return [*cases, half]


async def _handed_over(office: Office) -> list[Case]:
    squad, court = await organization_of(office, "squad_member"), await organization_of(office, "court")
    police = await office.organization("POLICE_STATION")
    waiting, taken, topped = await office.mediating(), await office.mediating(), await office.mediating()
    for case in (waiting, taken):
        await office.must(
            "mediator", "disputeEscalate", id=case.key, organization_id=squad, reason="难", handover="谈过。"
        )
    await office.must("squad_member", "disputeTake", id=taken.key)
    await office.at_tier(topped, "CENTRE")
    for agency in (police, court):
        await office.must(
            "centre_staff",
            "disputeInvite",
            id=topped.key,
            organization_id=agency,
            purpose="到场。",
            parties_consent=True,
        )
    return [waiting, taken, topped]


async def _agreed(office: Office) -> list[Case]:
    drafted, agreed, confirming = await office.mediating(), await office.mediating(), await office.mediating()
    await agree(office, drafted, sign=False)
    await agree(office, agreed)
    await office.must(
        "mediator", "confirmationApply", agreement_id=await agree(office, confirming), both_apply=True, ownership_terms=False,
        court_id=await organization_of(office, "court"),
    )  # fmt: skip
    performed = await office.mediating(sub_category="P02", utility_cut="WATER")
    await _perform(office, performed)
    alert = await office.value("SELECT id FROM alert WHERE dispute_id = $1", performed.key)
    await office.must("mediator", "alertHandle", id=alert)
    return [drafted, agreed, confirming, performed]


async def _disputed(office: Office) -> list[Case]:
    """The agreement is before the court; can be enforced; is overdue and urged; has ended in default."""
    sued, upheld, overdue, defaulted = [await office.mediating() for _ in range(4)]
    for case in (sued, upheld):
        key = await agree(office, case)
        await office.must("mediator", "agreementSue", id=key, party_id=case.applicant, reason="协议的履行。")
    await office.must("mediator", "agreementJudge", id=key, result="UPHELD", case_number="(2024)鲁1525民初123号")
    for case in (overdue, defaulted):
        await agree(office, case, due_on=(case.started + 2 * DAY).date())
        owed = await office.value("SELECT id FROM obligation WHERE dispute_id = $1", case.key)
        await office.must(
            "mediator", "obligationUrge", id=owed, party_id=case.applicant, method="PHONE", result="不愿履行。"
        )
    await office.must("mediator", "disputeDefault", id=defaulted.key, reason="不愿履行。", routes_told=True)
    return [sued, upheld, overdue, defaulted]


async def _ended(office: Office) -> list[Case]:
    closed = await office.mediating()
    await _perform(office, closed)
    await _visit(office, closed)
    ready, reopened = await office.mediating(), await office.mediating()
    for case in (ready, reopened):
        await office.talk(case)
        await office.must("mediator", "agreementDraft", dispute_id=case.key, form="ORAL", content="两清。")
        await _visit(office, case)
    for case in (reopened, closed):
        await office.must("justice_office", "disputeClose", id=case.key)
    # Archived before that asked for anything: with an alert, a visit and a lead that nobody has seen to.
    over = await office.mediating(sub_category="P02", utility_cut="WATER")
    housing = await office.organization("HOUSING_DEPARTMENT")
    await office.must("mediator", "disputeRefer", id=over.key, kind="LEAD", organization_id=housing, reason="停水催费")
    await office.must("mediator", "disputeTerminate", id=over.key, reason="FAR_APART", routes_told=True)
    await office.execute("INSERT INTO follow_up (dispute_id, due_on) VALUES ($1, '2024-01-01')", over.key)
    await office.execute("UPDATE dispute SET state = 'ARCHIVED', closed_at = concluded_at WHERE id = $1", over.key)
    await office.must("mediator", "disputeReopen", id=reopened.key, reason="又反弹。")
    return [closed, ready, over]


async def _unusual(office: Office) -> list[Case]:
    """Nobody leads it; two who apply; nobody who applies; a third party."""
    led = await office.register("grid_worker")
    await office.must("justice_office", "disputeAccept", id=led.key)
    owner = {"kind": "OWNER", "name": "邻居"}
    both = await office.register(parties=[{"side": side, **owner} for side in ("APPLICANT", "APPLICANT", "RESPONDENT")])
    clue = await office.register()
    await office.execute("DELETE FROM party WHERE id = $1", clue.applicant)
    many = await office.mediating()
    await office.must("mediator", "partyAdd", id=many.key, party={"side": "THIRD", **owner})
    return [many, led, both, clue]


async def agree(office: Office, case: Case, *, sign: bool = True, due_on: dt.date = dt.date(2099, 1, 1)) -> UUID:
    """An agreement to pay; signed by all if wanted."""
    when = case.started + DAY
    pay = {
        "party_id": case.applicant, "kind": "PAY", "content": "补缴", "amount": "10.00", "due_on": due_on,
    }  # fmt: skip
    await office.talk(case)
    shown = await office.must(
        "mediator",
        "agreementDraft",
        dispute_id=case.key,
        form="WRITTEN",
        content="补缴。",
        obligations=[pay],
        happened_at=when,
    )
    key = UUID(shown["id"].partition(":")[2])
    signatures: list[dict[str, Any]] = [
        {"kind": "PARTY", "party_id": case.applicant}, {"kind": "PARTY", "party_id": case.respondent}, {"kind": "MEDIATOR"},
        {"kind": "SEAL"},
    ]  # fmt: skip
    for signature in signatures if sign else ():
        await office.sign(key, when + HOUR, **signature)
    return key


async def _perform(office: Office, case: Case) -> None:
    """Agreed on, and all that is owed performed."""
    await agree(office, case)
    owed = await office.value("SELECT id FROM obligation WHERE dispute_id = $1", case.key)
    await office.must("mediator", "obligationPerform", id=owed, evidence="收据")


async def _visit(office: Office, case: Case) -> None:
    visit = await office.value("SELECT id FROM follow_up WHERE dispute_id = $1", case.key)
    await office.must("mediator", "followUpComplete", id=visit, **VISITED)
