"""How a dispute is settled: agreement, signatures, obligations, performance, court, follow-up visits."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from db.county import texts
from db.county.fixed import at, workday
from db.county.proceeding import refer
from db.county.story import Story
from db.tables.dispute import RESOLVED_STATES
from db.tables.obligation import OWED_STATES, PERFORMED_STATES

_LAST_DAY = date(2024, 2, 28)  # nothing is performed after it: the story of the demo county ends with February 2024


def agree(story: Story, day: date) -> UUID:
    """The agreement. A written one is signed by both parties and the mediator and sealed, all on the same day."""
    case = story.case
    oral = "oral" in case.marks
    taken = [term for term in story.matter.terms if not (term.paid and story.row["amount_claimed"] is None)]
    terms = [story.tell(term.text, amount=str(_amount(story))) for term in taken]
    agreement = story.add(
        "agreement",
        form="ORAL" if oral else "WRITTEN",
        scope="PARTIAL" if "partial" in case.marks else "FULL",
        state="EFFECTIVE",
        content=story.tell("一、双方确认：{fact}二、", fact=story.row["summary"]) + "；".join(terms) + "。",
        agreed_on=day,
        effective_on=day,
        confirm_by_on=workday(day + timedelta(days=30)),
        copies=None if oral else len(story.parties) + 1,
    )
    if not oral:
        sign(story, agreement, day)
    story.row["concluded_at"] = at(day, 11)
    story.happen(at(day, 11), story.mediators[0], "dispute.agree", "AGREED")
    for number, term in enumerate(taken):
        party = story.side("APPLICANT" if term.by_applicant else "RESPONDENT")
        _oblige(story, agreement, party.id, term, day, first=number == 0)
    if "confirm" in case.marks:
        _confirm(story, agreement, day)
    return agreement


def sign(story: Story, agreement: UUID, day: date) -> None:
    nobody = {"party_id": None, "person_id": None, "organization_id": None}
    common = {"agreement_id": agreement, "signed_on": day}
    for party in story.parties:
        if party.side != "THIRD":
            story.add("signature", kind="PARTY", **common, **(nobody | {"party_id": party.id}))
    for mediator in story.mediators:
        story.add("signature", kind="MEDIATOR", **common, **(nobody | {"person_id": mediator}))
    story.add("signature", kind="SEAL", **common, **(nobody | {"organization_id": story.row["committee_id"]}))


def _amount(story: Story) -> int:
    return max(100, (story.row["amount_claimed"] or 0) * 4 // 5)


def _oblige(story: Story, agreement: UUID, party: UUID, term: texts.Term, day: date, first: bool) -> None:
    """An obligation and what became of it."""
    case, dice = story.case, story.dice
    amount = Decimal(_amount(story)) if term.paid else None
    due = (
        day if dice.chance(40) and case.state in RESOLVED_STATES else workday(day + timedelta(days=dice.between(7, 30)))
    )
    performed: date | None = None
    state = "PENDING"
    if case.state in RESOLVED_STATES:
        state = "PERFORMED"
        late = 6 if first and dice.chance(15) else 0
        performed = min(due + timedelta(days=late), max(day, _LAST_DAY)) if due > day else day
        due = min(due, max(day, _LAST_DAY))
    elif case.state == "PERFORMING":
        mark = next(
            (one for one in case.marks if one in ("PARTLY_PERFORMED", "EXCUSED", "SUED", "ENFORCED", "VARIED")), ""
        )
        # Something has been done in every one of these, or it would still be AGREED.
        state = mark if first and mark else "PENDING" if first else "PERFORMED"
        performed = due if state in PERFORMED_STATES else None
    if amount is not None and not first and "instalment" in case.marks:
        due = date(2030, 12, 31)
    obligation = story.add(
        "obligation",
        agreement_id=agreement,
        party_id=party,
        kind=term.kind,
        content=story.tell(term.text, amount=str(_amount(story))),
        amount=amount,
        place="物业服务中心" if term.paid else story.compound.name,
        manner=dice.pick(("转账", "现金", "银行汇款")) if term.paid else None,
        due_on=due,
        state=state,
        performed_on=performed,
    )
    if state in ("PERFORMED", "PARTLY_PERFORMED", "EXCUSED"):
        kind = {"PERFORMED": "PERFORM", "PARTLY_PERFORMED": "PARTLY_PERFORM", "EXCUSED": "EXCUSE"}[state]
        paid = None if amount is None or state == "EXCUSED" else amount if state == "PERFORMED" else amount / 2
        _perform(story, obligation, kind, performed or due, paid, term.kind)
    if (performed is None and state in OWED_STATES and case.state == "PERFORMING") or (performed and performed > due):
        _perform(story, obligation, "URGE", due + timedelta(days=1), None, term.kind)


def _perform(story: Story, obligation: UUID, kind: str, day: date, amount: Decimal | None, matter: str) -> None:
    dice = story.dice
    evidence = confirmed = None
    if kind == "URGE":
        evidence = dice.pick(texts.URGE_REMARKS)
    elif kind == "EXCUSE":
        evidence = "权利人书面同意免除"
    elif dice.chance(85):
        evidence = dice.pick(texts.EVIDENCE[matter]).format(number=1000 + dice.below(9000))
    else:
        confirmed = "双方当面确认已履行，未另出凭证"
    row = story.add(
        "performance",
        obligation_id=obligation,
        kind=kind,
        occurred_on=day,
        recorded_at=at(day, 17, dice.below(60)),
        amount=amount,
        evidence=evidence,
        both_confirmed=confirmed,
    )
    action = "obligation.urge" if kind == "URGE" else "obligation.perform"
    moment = at(day, 17, 59)
    story.happen(moment, story.mediators[0], action, resource="Performance", resource_id=row)


def perform(story: Story) -> date:
    """The dispute moves on with its obligations; returns the day of the last performance."""
    rows = [row for row in story.county.rows.tables["obligation"] if row["dispute_id"] == story.id]
    last = max((row["performed_on"] or row["due_on"] for row in rows if row["due_on"].year < 2030), default=_LAST_DAY)
    if story.case.state == "PERFORMING":
        story.happen(at(min(last, _LAST_DAY), 18), story.mediators[0], "dispute.perform", "PERFORMING")
    else:
        story.happen(at(last, 18), story.mediators[0], "dispute.perform", "PERFORMED")
    return last


def _confirm(story: Story, agreement: UUID, day: date) -> None:
    """Both parties ask the court to confirm, within thirty days of the agreement's effect."""
    court = story.county.organizations.court(story.case.town)
    applied = workday(day + timedelta(days=story.dice.between(1, 6)))
    result = next((mark for mark in ("REJECTED", "WITHDRAWN", "PENDING") if mark in story.case.marks), "CONFIRMED")
    decided = None if result == "PENDING" else workday(applied + timedelta(days=story.dice.between(5, 14)))
    number = len(story.county.rows.tables["confirmation"]) + 21
    row = story.add(
        "confirmation",
        agreement_id=agreement,
        court_id=court,
        applied_on=applied,
        case_number=f"({applied.year})鲁1525诉前调确{number}号",
        result=None if decided is None else result,
        decided_on=decided,
    )
    refer(story, court, "CONFIRMATION", at(applied, 10), "DONE" if decided else "TAKEN")
    story.happen(at(applied, 10), story.mediators[0], "confirmation.apply", resource="Confirmation", resource_id=row)


def follow_up(
    story: Story, due: date, done: date | None, satisfaction: int | None = None, result: str = "NORMAL"
) -> None:
    """A visit that is due, or one that was made."""
    dice = story.dice
    remark = (
        story.tell(dice.pick(texts.VISIT_REMARKS))
        if result == "NORMAL"
        else "一方反映对方言语不和，已再次劝导，继续关注。"
    )
    row = story.add(
        "follow_up",
        visitor_id=story.mediators[0] if done else None,
        due_on=due,
        done_at=done,
        method=dice.pick(("PHONE", "PHONE", "VISIT", "MEETING", "MESSAGE", "VIDEO")) if done else None,
        result=result if done else None,
        satisfaction=satisfaction if done else None,
        remark=remark if done else None,
    )
    if done:
        story.happen(at(done, 15, 30), story.mediators[0], "dispute.follow", resource="FollowUp", resource_id=row)
