"""What is done in a dispute until it is agreed or ended: measures, sessions, notes, extensions, referrals."""

from datetime import date, datetime, timedelta
from uuid import UUID

from db.county import organizations as orgs
from db.county import texts
from db.county.fixed import at, workday
from db.county.story import Story
from db.county.texts import REFERRAL_REASONS, REFERRAL_REPLIES
from db.tables.dispute import AGREED_STATES

_UTILITIES = {
    "物业公司以欠费为由拒绝水卡充值纠纷": "WATER",
    "停电催交物业费纠纷": "POWER",
    "拒绝燃气充值催费纠纷": "GAS",
}


def measure(story: Story) -> None:
    """Supply first: whoever was cut off gets it back before anybody speaks of fees."""
    kind = {"P02": _UTILITIES.get(story.row["title"], "HEAT"), "P06": "SAFETY", "P10": "ACCESS"}.get(story.case.matter)
    if kind is None or (story.case.matter != "P02" and not story.dice.chance(35)):
        return
    requested = story.row["accepted_at"] + timedelta(minutes=15)
    done = None if "unrestored" in story.case.marks else requested + timedelta(minutes=story.dice.between(40, 1300))
    write_measure(story, kind, requested, done)
    if story.case.matter == "P02":
        housing = story.county.organizations.id(orgs.HOUSING_DEPARTMENT)
        refer(story, housing, "LEAD", requested + timedelta(minutes=30), "DONE" if done else "TAKEN")


def write_measure(story: Story, kind: str, requested: datetime, done: datetime | None) -> None:
    row = story.add(
        "measure",
        kind=kind,
        requested_at=requested,
        done_at=done,
        agreed_by=f"{story.compound.company}项目负责人" if done else None,
        evidence="恢复后的现场照片和业主确认" if done else None,
    )
    story.happen(
        done or requested,
        story.first_mediator or story.mediators[0],
        "dispute.measure",
        resource="Measure",
        resource_id=row,
    )


def mediate(story: Story, first: date, last: date) -> None:
    """One to three sessions, the last of them on the day that ends the mediation or the last day that is told."""
    case, dice = story.case, story.dice
    days = sorted({workday(first + (last - first) * part // 3) for part in range(1, dice.between(1, 3))} | {last})
    for day in days:
        final = day == last
        if final and case.state in AGREED_STATES:
            result = "AGREED"
        elif final and case.state == "FAILED":
            result = "NOT_AGREED"
        else:
            result = "TO_CONTINUE"
        moment = at(day, 9 if final else dice.between(9, 16), 30 if final else dice.below(60))
        joint = case.tier == "CENTRE" and (final or dice.chance(50))
        session(story, moment, result, joint)


def session(story: Story, moment: datetime, result: str, joint: bool) -> UUID:
    """A session with its record; a joint one with the agencies that were invited and came."""
    dice, organizations, town = story.dice, story.county.organizations, story.case.town
    demand = "按约履行并赔偿损失" if story.matter.amounts is None else story.tell("处理费用{amount}元的争议")
    record = story.tell(dice.pick(texts.RECORDS), demand=demand, end=texts.RECORD_ENDS[result])
    places = ("街道矛盾调解中心调解室",) if joint else ("司法所调解室", "社区调解室", "小区物业服务中心", "业主家中")
    held = story.add("session", held_at=moment, place=dice.pick(places), is_joint=joint, result=result, record=record)
    story.happen(moment, story.mediators[0], "dispute.record", resource="Session", resource_id=held, reason=result)
    if joint:
        guests = [organizations.police(town), organizations.governance(town), organizations.justice_office(town)]
        if dice.chance(50):
            guests.append(organizations.court(town))
        for guest in guests:
            if guest != organizations.justice_office(town):
                refer(
                    story, guest, "INVITATION", moment - timedelta(days=2), "DONE", replied=moment - timedelta(days=1)
                )
            story.add("attendance", session_id=held, organization_id=guest)
        note(story, "SHARED", texts.SHARED_NOTES, moment + timedelta(minutes=70), held)
    return held


def notes(story: Story, first: date) -> None:
    """Work notes of all three circles; every third dispute has them all."""
    dice = story.dice
    moment = story.taken_over_at or story.row["accepted_at"]
    start = max(moment + timedelta(hours=2), at(first, 18))
    note(story, "SHARED", texts.SHARED_NOTES, start)
    if dice.chance(75):
        note(story, "TEAM", texts.TEAM_NOTES, start + timedelta(minutes=45))
    if dice.chance(60):
        note(story, "CAUCUS", texts.CAUCUS_NOTES, start + timedelta(minutes=90))


def note(story: Story, visibility: str, choices: tuple[str, ...], moment: datetime, held: UUID | None = None) -> None:
    author = story.mediators[0] if visibility == "CAUCUS" else story.dice.pick(story.mediators)
    row = story.add(
        "note",
        session_id=held,
        author_id=author,
        visibility=visibility,
        recorded_at=moment,
        text=story.tell(story.dice.pick(choices)),
    )
    story.happen(moment, author, "dispute.record", resource="Note", resource_id=row)


def extend(story: Story, to: date, consented: date) -> None:
    """More time than the month, which both parties have agreed to before it ran out."""
    before = story.row["due_on"]
    row = story.add("extension", from_on=before, to_on=to, consented_on=consented, recorded_at=at(consented, 16, 10))
    story.row["due_on"] = to
    story.happen(at(consented, 16, 10), story.mediators[0], "dispute.extend", resource="Extension", resource_id=row)


def refer(
    story: Story,
    organization: UUID,
    kind: str,
    sent: datetime,
    state: str,
    replied: datetime | None = None,
    sender: UUID | None = None,
) -> None:
    """What opens this one dispute to another organization; the same thing is not sent twice."""
    name = f"{story.case.key}/{organization}/{kind}"
    if name in story.numbers:
        return
    story.numbers[name] = 1
    answered = replied or (sent + timedelta(hours=20) if state in ("DONE", "RETURNED", "TAKEN") else None)
    row = story.add(
        "referral",
        dispute_registered_at=story.registered_at,
        organization_id=organization,
        from_organization_id=sender or story.row["committee_id"],
        kind=kind,
        state=state,
        sent_at=sent,
        answered_at=answered,
        reason=REFERRAL_REASONS[kind],
        reply=REFERRAL_REPLIES[kind] if answered else None,
    )
    actor = story.mediators[0] if story.mediators else story.county.people.justice[story.case.town]
    action = {"INVITATION": "dispute.invite", "RISK_REPORT": "dispute.report"}.get(kind, "referral.send")
    story.happen(sent, actor, action, resource="Referral", resource_id=row, reason=REFERRAL_REASONS[kind])


def report_risk(story: Story) -> None:
    """People's Mediation Law, Art. 25: what may turn violent is reported to the police."""
    moment = story.row["accepted_at"] + timedelta(hours=1)
    refer(story, story.county.organizations.police(story.case.town), "RISK_REPORT", moment, "DONE")
