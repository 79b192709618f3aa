"""Tells each planned dispute to where it stands, and numbers the cases in the order of acceptance."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from db.county import intake, proceeding, settlement
from db.county import organizations as orgs
from db.county.fixed import Row, at, workday
from db.county.organizations import short_name
from db.county.story import Case, County, Story, begin
from db.tables.dispute import AGREED_STATES, CLOSED_STATES

_LAST_DAY = date(2024, 2, 29)


def tell(county: County, case: Case) -> None:
    """One dispute, from its registration to its present state."""
    story = begin(county, case)
    intake.register(story)
    if case.state in ("REGISTERED", "DECLINED"):
        _leave_unaccepted(story)
    else:
        intake.accept(story)
        intake.assign(story)
        if "risk" in case.marks:
            proceeding.report_risk(story)
        proceeding.measure(story)
        _mediate(story)
    story.finish()


def _leave_unaccepted(story: Story) -> None:
    county, case = story.county, story.case
    if "transfer" in case.marks:
        housing = county.organizations.id(orgs.HOUSING_DEPARTMENT)
        sent = at(case.registered, 16, 20)
        proceeding.refer(
            story, housing, "TRANSFER", sent, "TAKEN", sender=county.organizations.justice_office(case.town)
        )
    if case.state == "DECLINED":
        moment = at(workday(case.registered + timedelta(days=1)), 10)
        story.row["closed_at"] = moment
        story.happen(
            moment, county.people.justice[case.town], "dispute.decline", "DECLINED", reason=story.row["outcome"]
        )


def _mediate(story: Story) -> None:
    case, dice, row = story.case, story.dice, story.row
    if case.state == "ACCEPTED":
        return
    first = intake.consent(story, refused=case.state == "REFUSED")
    if case.state == "REFUSED":
        return
    proceeding.notes(story, first)
    last = case.concluded or min(workday(first + timedelta(days=20)), date(2024, 2, 28))
    if "extended" in case.marks or (case.concluded and case.concluded > row["due_on"]):
        consented = row["due_on"] - timedelta(days=dice.between(1, 4))
        proceeding.extend(story, max(row["due_on"], case.concluded or date.min) + timedelta(days=15), consented)
    if last > first:
        proceeding.mediate(story, first, last)
    if case.state == "WITHDRAWN":
        story.row["concluded_at"] = story.row["closed_at"] = at(last, 11)
        story.happen(at(last, 11), story.mediators[0], "dispute.withdraw", "WITHDRAWN", reason=row["outcome"])
    elif case.state == "FAILED":
        _fail(story, last)
    elif case.state in AGREED_STATES:
        _settle(story, last)
    elif "draft" in case.marks:
        _draft(story, last)


def _fail(story: Story, day: date) -> None:
    """Termination with notice of the other routes (People's Mediation Law, Art. 26); some go on to court."""
    story.row["concluded_at"] = story.row["closed_at"] = at(day, 11)
    story.happen(at(day, 11), story.mediators[0], "dispute.terminate", "FAILED", reason=story.row["outcome"])
    if "court" in story.case.marks:
        court = story.county.organizations.court(story.case.town)
        proceeding.refer(story, court, "COURT_REFERRAL", at(workday(day + timedelta(days=2)), 9), "TAKEN")


def _settle(story: Story, day: date) -> None:
    case, dice, row = story.case, story.dice, story.row
    settlement.agree(story, day)
    if case.state == "AGREED":
        return
    performed = settlement.perform(story)
    if case.state == "PERFORMING":
        if dice.chance(50):
            settlement.follow_up(story, workday(performed + timedelta(days=10)), None)
        return
    due = workday(performed + timedelta(days=15))
    done = min(workday(performed + timedelta(days=dice.between(3, 14))), _LAST_DAY)
    if dice.chance(8):
        settlement.follow_up(story, done, done, 2, "REBOUND_SIGNS")
        done = min(workday(done + timedelta(days=3)), _LAST_DAY)
    settlement.follow_up(story, due, done, dice.pick((5, 5, 5, 5, 4, 4, 4, 3)))
    if case.state == "PERFORMED" and dice.chance(60):
        settlement.follow_up(story, done + timedelta(days=dice.pick((20, 60, 90))), None)
    if case.state in CLOSED_STATES:
        moment = at(min(done + timedelta(days=dice.below(3)), _LAST_DAY), 16, 30)
        row["closed_at"] = moment
        story.happen(moment, story.mediators[0], "dispute.close", "CLOSED")
        if case.state == "ARCHIVED":
            story.happen(
                moment + timedelta(days=10), story.county.people.justice[case.town], "dispute.archive", "ARCHIVED"
            )


def _draft(story: Story, day: date) -> None:
    """An agreement that is written and waits for its signatures: it has no effect yet."""
    story.add(
        "agreement",
        form="WRITTEN",
        scope="FULL",
        state="DRAFT",
        content=story.tell("一、双方确认：{fact}二、拟约定：", fact=story.row["summary"])
        + story.tell(story.matter.terms[0].text),
        agreed_on=day,
        effective_on=None,
        confirm_by_on=None,
        copies=3,
    )


def number(rows: Iterable[Row]) -> None:
    """Case numbers without gaps: one series per committee and year, in the order of acceptance."""
    series: Counter[tuple[str, int]] = Counter()
    accepted = [row for row in rows if row["accepted_at"] is not None]
    for row in sorted(accepted, key=lambda row: (row["accepted_at"], row["id"])):
        town, year = row["grid_code"][:9], row["accepted_at"].year
        series[town, year] += 1
        row["case_year"], row["case_sequence"] = year, series[town, year]
        row["case_number"] = f"({year}){short_name(town)}人调字第{series[town, year]:03d}号"
