"""The mediation of a dispute: interim measures, sessions, notes, extensions, referrals."""

from datetime import date, datetime, timedelta
from uuid import UUID

from db.county import organizations as orgs
from db.county import texts
from db.county.builder import AGREED_STATES, DisputeBuilder
from db.county.deterministic import at, workday
from db.county.texts import REFERRAL_REASONS, REFERRAL_REPLIES

_UTILITIES = {
    "物业公司以欠费为由拒绝水卡充值纠纷": "WATER",
    "停电催交物业费纠纷": "POWER",
    "拒绝燃气充值催费纠纷": "GAS",
}


def measure(dispute: DisputeBuilder) -> None:
    """Interim measures: a supply that was cut is restored before the fees are mediated."""
    kind = {"P02": _UTILITIES.get(dispute.row["title"], "HEAT"), "P06": "SAFETY", "P10": "ACCESS"}.get(
        dispute.case.matter
    )
    if kind is None or (dispute.case.matter != "P02" and not dispute.random.chance(35)):
        return
    requested = dispute.row["accepted_at"] + timedelta(minutes=15)
    done = (
        None if "unrestored" in dispute.case.flags else requested + timedelta(minutes=dispute.random.randint(40, 1300))
    )
    write_measure(dispute, kind, requested, done)
    if dispute.case.matter == "P02":
        housing = dispute.county.organizations.id(orgs.HOUSING_DEPARTMENT)
        refer(dispute, housing, "LEAD", requested + timedelta(minutes=30), "DONE" if done else "TAKEN")


def write_measure(dispute: DisputeBuilder, kind: str, requested: datetime, done: datetime | None) -> None:
    row = dispute.add(
        "measure",
        kind=kind,
        requested_at=requested,
        done_at=done,
        agreed_by=f"{dispute.compound.company}项目负责人" if done else None,
        evidence="恢复后的现场照片和业主确认" if done else None,
    )
    dispute.add_event(
        done or requested,
        dispute.first_mediator or dispute.mediators[0],
        "dispute.measure",
        resource="Measure",
        resource_id=row,
    )


def mediate(dispute: DisputeBuilder, first: date, last: date) -> None:
    """One to three sessions, the last of them on the day `last`."""
    case, random = dispute.case, dispute.random
    days = sorted({workday(first + (last - first) * part // 3) for part in range(1, random.randint(1, 3))} | {last})
    for day in days:
        final = day == last
        if final and case.state in AGREED_STATES:
            result = "AGREED"
        elif final and case.state == "FAILED":
            result = "NOT_AGREED"
        else:
            result = "TO_CONTINUE"
        moment = at(day, 9 if final else random.randint(9, 16), 30 if final else random.randrange(60))
        joint = case.tier == "CENTRE" and (final or random.chance(50))
        session(dispute, moment, result, joint)


def session(dispute: DisputeBuilder, moment: datetime, result: str, joint: bool) -> UUID:
    """A session with its record; a joint one with the agencies that were invited and attended."""
    random, organizations, town = dispute.random, dispute.county.organizations, dispute.case.town
    demand = "按约履行并赔偿损失" if dispute.matter.amounts is None else dispute.fill("处理费用{amount}元的争议")
    record = dispute.fill(random.choice(texts.RECORDS), demand=demand, end=texts.RECORD_ENDS[result])
    places = ("街道矛盾调解中心调解室",) if joint else ("司法所调解室", "社区调解室", "小区物业服务中心", "业主家中")
    held = dispute.add(
        "session", held_at=moment, place=random.choice(places), is_joint=joint, result=result, record=record
    )
    dispute.add_event(
        moment, dispute.mediators[0], "dispute.record", resource="Session", resource_id=held, reason=result
    )
    if joint:
        guests = [organizations.police(town), organizations.governance(town), organizations.justice_office(town)]
        if random.chance(50):
            guests.append(organizations.court(town))
        for guest in guests:
            if guest != organizations.justice_office(town):
                refer(
                    dispute, guest, "INVITATION", moment - timedelta(days=2), "DONE", replied=moment - timedelta(days=1)
                )
            dispute.add("attendance", session_id=held, organization_id=guest)
        note(dispute, "SHARED", texts.SHARED_NOTES, moment + timedelta(minutes=70), held)
    return held


def notes(dispute: DisputeBuilder, first: date) -> None:
    """Notes for each of the three circles of readers; about half of the disputes have them all."""
    random = dispute.random
    moment = dispute.taken_over_at or dispute.row["accepted_at"]
    start = max(moment + timedelta(hours=2), at(first, 18))
    note(dispute, "SHARED", texts.SHARED_NOTES, start)
    if random.chance(75):
        note(dispute, "TEAM", texts.TEAM_NOTES, start + timedelta(minutes=45))
    if random.chance(60):
        note(dispute, "CAUCUS", texts.CAUCUS_NOTES, start + timedelta(minutes=90))


def note(
    dispute: DisputeBuilder, visibility: str, choices: tuple[str, ...], moment: datetime, held: UUID | None = None
) -> None:
    author = dispute.mediators[0] if visibility == "CAUCUS" else dispute.random.choice(dispute.mediators)
    row = dispute.add(
        "note",
        session_id=held,
        author_id=author,
        visibility=visibility,
        recorded_at=moment,
        text=dispute.fill(dispute.random.choice(choices)),
    )
    dispute.add_event(moment, author, "dispute.record", resource="Note", resource_id=row)


def extend(dispute: DisputeBuilder, to: date, consented: date) -> None:
    """An extension of the month, which both parties consented to before it ended."""
    before = dispute.row["due_on"]
    row = dispute.add("extension", from_on=before, to_on=to, consented_on=consented, recorded_at=at(consented, 16, 10))
    dispute.row["due_on"] = to
    dispute.add_event(
        at(consented, 16, 10), dispute.mediators[0], "dispute.extend", resource="Extension", resource_id=row
    )


def refer(
    dispute: DisputeBuilder,
    organization: UUID,
    kind: str,
    sent: datetime,
    state: str,
    replied: datetime | None = None,
    sender: UUID | None = None,
) -> None:
    """A referral, which opens this one dispute to another organization; the same kind is not sent twice to one."""
    name = f"{dispute.case.key}/{organization}/{kind}"
    if name in dispute.numbers:
        return
    dispute.numbers[name] = 1
    answered = replied or (sent + timedelta(hours=20) if state in ("DONE", "RETURNED", "TAKEN") else None)
    row = dispute.add(
        "referral",
        dispute_registered_at=dispute.registered_at,
        organization_id=organization,
        from_organization_id=sender or dispute.row["committee_id"],
        kind=kind,
        state=state,
        sent_at=sent,
        answered_at=answered,
        reason=REFERRAL_REASONS[kind],
        reply=REFERRAL_REPLIES[kind] if answered else None,
    )
    actor = dispute.mediators[0] if dispute.mediators else dispute.county.people.justice[dispute.case.town]
    action = {"INVITATION": "dispute.invite", "RISK_REPORT": "dispute.report"}.get(kind, "referral.send")
    dispute.add_event(sent, actor, action, resource="Referral", resource_id=row, reason=REFERRAL_REASONS[kind])


def report_risk(dispute: DisputeBuilder) -> None:
    """People's Mediation Law, Art. 25: what may turn violent is reported to the police."""
    moment = dispute.row["accepted_at"] + timedelta(hours=1)
    refer(dispute, dispute.county.organizations.police(dispute.case.town), "RISK_REPORT", moment, "DONE")
