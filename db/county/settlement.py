"""The settlement of a dispute: agreement, signatures, obligations, performance, court confirmation, follow-up visits."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from db.county import texts
from db.county.builder import RESOLVED_STATES, DisputeBuilder
from db.county.deterministic import Row, at, workday
from db.county.mediation import refer
from db.tables.obligation import OWED_STATES, PERFORMED_STATES

_LAST_DAY = date(2024, 2, 28)  # nothing is performed after it: the demo county ends with February 2024


def agree(dispute: DisputeBuilder, day: date) -> UUID:
    """The agreement. A written one is signed by both parties and the mediator and sealed, all on the same day."""
    case = dispute.case
    oral = "oral" in case.flags
    taken = [term for term in dispute.matter.terms if not (term.paid and dispute.row["amount_claimed"] is None)]
    terms = [dispute.fill(term.text, amount=str(_amount(dispute))) for term in taken]
    agreement = dispute.add(
        "agreement",
        form="ORAL" if oral else "WRITTEN",
        scope="PARTIAL" if "partial" in case.flags else "FULL",
        state="EFFECTIVE",
        content=dispute.fill("一、双方确认：{fact}二、", fact=dispute.row["summary"]) + "；".join(terms) + "。",
        agreed_on=day,
        effective_on=day,
        confirm_by_on=workday(day + timedelta(days=30)),
        copies=None if oral else len(dispute.parties) + 1,
        sued_on=day + timedelta(days=45) if "SUED" in case.flags else None,
    )
    if not oral:
        sign(dispute, agreement, day)
    dispute.row["concluded_at"] = at(day, 11)
    dispute.add_event(
        at(day, 11), dispute.mediators[0], "dispute.agree", "AGREED", resource="Agreement", resource_id=agreement
    )
    for number, term in enumerate(taken):
        party = dispute.side("APPLICANT" if term.by_applicant else "RESPONDENT")
        _oblige(dispute, agreement, party.id, term, day, first=number == 0)
    if "confirm" in case.flags:
        _confirm(dispute, agreement, day)
    return agreement


def sign(dispute: DisputeBuilder, agreement: UUID, day: date) -> None:
    nobody = {"party_id": None, "person_id": None, "organization_id": None}
    common = {"agreement_id": agreement, "signed_on": day}
    for party in dispute.parties:
        if party.side != "THIRD":
            dispute.add("signature", kind="PARTY", **common, **(nobody | {"party_id": party.id}))
    for mediator in dispute.mediators:
        dispute.add("signature", kind="MEDIATOR", **common, **(nobody | {"person_id": mediator}))
    dispute.add("signature", kind="SEAL", **common, **(nobody | {"organization_id": dispute.row["committee_id"]}))


def _amount(dispute: DisputeBuilder) -> int:
    return max(100, (dispute.row["amount_claimed"] or 0) * 4 // 5)


def _oblige(dispute: DisputeBuilder, agreement: UUID, party: UUID, term: texts.Term, day: date, first: bool) -> None:
    """An obligation with its performances."""
    case, random = dispute.case, dispute.random
    amount = Decimal(_amount(dispute)) if term.paid else None
    due = (
        day
        if random.chance(40) and case.state in RESOLVED_STATES
        else workday(day + timedelta(days=random.randint(7, 30)))
    )
    performed: date | None = None
    state = "PENDING"
    if case.state in RESOLVED_STATES:
        state = "PERFORMED"
        late = 6 if first and random.chance(15) else 0
        performed = min(due + timedelta(days=late), max(day, _LAST_DAY)) if due > day else day
        due = min(due, max(day, _LAST_DAY))
    elif case.state in ("PERFORMING", "UNPERFORMED"):
        mark = next(
            (one for one in case.flags if one in ("PARTLY_PERFORMED", "RELEASED", "SUED", "ENFORCED", "VARIED")), ""
        )
        # At least one obligation has progressed, or the dispute would still be AGREED.
        state = mark if first and mark else "PENDING" if first else "PERFORMED"
        performed = due if state in PERFORMED_STATES else None
    if amount is not None and not first and "instalment" in case.flags:
        due = date(2030, 12, 31)
    obligation = dispute.add(
        "obligation",
        agreement_id=agreement,
        party_id=party,
        kind=term.kind,
        content=dispute.fill(term.text, amount=str(_amount(dispute))),
        amount=amount,
        place="物业服务中心" if term.paid else dispute.compound.name,
        manner=random.choice(("转账", "现金", "银行汇款")) if term.paid else None,
        due_on=due,
        state=state,
        performed_on=performed,
    )
    if state in ("PERFORMED", "PARTLY_PERFORMED", "RELEASED"):
        kind = {"PERFORMED": "PERFORM", "PARTLY_PERFORMED": "PARTLY_PERFORM", "RELEASED": "RELEASE"}[state]
        paid = None if amount is None or state == "RELEASED" else amount if state == "PERFORMED" else amount / 2
        _perform(dispute, obligation, kind, performed or due, paid, term.kind)
    if (performed is None and state in OWED_STATES and case.state == "PERFORMING") or (performed and performed > due):
        _perform(dispute, obligation, "URGE", due + timedelta(days=1), None, term.kind)


def _perform(
    dispute: DisputeBuilder, obligation: UUID, kind: str, day: date, amount: Decimal | None, matter: str
) -> None:
    random = dispute.random
    evidence = confirmed = None
    if kind == "URGE":
        evidence = random.choice(texts.URGE_REMARKS)
    elif kind == "RELEASE":
        evidence = "权利人书面同意免除"
    elif random.chance(85):
        evidence = random.choice(texts.EVIDENCE[matter]).format(number=1000 + random.randrange(9000))
    else:
        confirmed = "双方当面确认已履行，未另出凭证"
    row = dispute.add(
        "performance",
        obligation_id=obligation,
        kind=kind,
        occurred_on=day,
        recorded_at=at(day, 17, random.randrange(60)),
        amount=amount,
        evidence=evidence,
        both_confirmed=confirmed,
    )
    action = "obligation.urge" if kind == "URGE" else "obligation.perform"
    moment = at(day, 17, 59)
    dispute.add_event(moment, dispute.mediators[0], action, resource="Performance", resource_id=row)


def perform(dispute: DisputeBuilder) -> date:
    """The state of the dispute after its obligations; returns the day of the last performance."""
    rows = [row for row in dispute.county.rows.tables["obligation"] if row["dispute_id"] == dispute.id]
    last = max((row["performed_on"] or row["due_on"] for row in rows if row["due_on"].year < 2030), default=_LAST_DAY)
    moment = at(min(last, _LAST_DAY) if dispute.case.state == "PERFORMING" else last, 18)
    planned = dispute.case.state
    advance(dispute, moment, planned if planned in ("PERFORMING", "UNPERFORMED") else "PERFORMED", rows)
    return last


def advance(dispute: DisputeBuilder, moment: datetime, state: str, obligations: list[Row]) -> None:
    """The dispute's state after the last of the obligations was dealt with."""
    about: dict[str, Any] = {"resource": "Obligation", "resource_id": obligations[-1]["id"]} if obligations else {}
    dispute.add_event(moment, dispute.mediators[0], "dispute.perform", state, **about)


def _confirm(dispute: DisputeBuilder, agreement: UUID, day: date) -> None:
    """The joint application for court confirmation, within thirty days of the effect (People's Mediation Law, Art. 33)."""
    court = dispute.county.organizations.court(dispute.case.town)
    applied = workday(day + timedelta(days=dispute.random.randint(1, 6)))
    result = next((mark for mark in ("REJECTED", "WITHDRAWN", "PENDING") if mark in dispute.case.flags), "CONFIRMED")
    decided = None if result == "PENDING" else workday(applied + timedelta(days=dispute.random.randint(5, 14)))
    number = len(dispute.county.rows.tables["confirmation"]) + 21
    row = dispute.add(
        "confirmation",
        agreement_id=agreement,
        court_id=court,
        applied_on=applied,
        case_number=f"({applied.year})鲁1525诉前调确{number}号",
        result=None if decided is None else result,
        decided_on=decided,
    )
    refer(dispute, court, "CONFIRMATION", at(applied, 10), "DONE" if decided else "TAKEN")
    dispute.add_event(
        at(applied, 10), dispute.mediators[0], "confirmation.apply", resource="Confirmation", resource_id=row
    )


def follow_up(
    dispute: DisputeBuilder, due: date, done: date | None, satisfaction: int | None = None, result: str = "NORMAL"
) -> None:
    """A follow-up visit: due, or done on the day `done`."""
    random = dispute.random
    remark = (
        dispute.fill(random.choice(texts.VISIT_REMARKS))
        if result == "NORMAL"
        else "一方反映对方言语不和，已再次劝导，继续关注。"
    )
    row = dispute.add(
        "follow_up",
        visitor_id=dispute.mediators[0] if done else None,
        due_on=due,
        done_at=done,
        method=random.choice(("PHONE", "PHONE", "VISIT", "MEETING", "MESSAGE", "VIDEO")) if done else None,
        result=result if done else None,
        satisfaction=satisfaction if done else None,
        remark=remark if done else None,
    )
    if done:
        dispute.add_event(
            at(done, 15, 30), dispute.mediators[0], "dispute.follow", resource="FollowUp", resource_id=row
        )
