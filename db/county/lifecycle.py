"""Builds each planned dispute up to its planned state, and numbers the cases in the order of acceptance."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from db.county import intake, mediation, settlement
from db.county import organizations as orgs
from db.county.builder import AGREED_STATES, Case, County, DisputeBuilder, start_dispute
from db.county.deterministic import Row, at, workday
from db.county.organizations import short_name
from db.tables.dispute import CLOSED_STATES

_LAST_DAY = date(2024, 2, 29)


def build_dispute(county: County, case: Case) -> None:
    """One dispute, from its registration to its planned state."""
    dispute = start_dispute(county, case)
    intake.register(dispute)
    if case.state in ("REGISTERED", "DECLINED"):
        _keep_unaccepted(dispute)
    else:
        intake.accept(dispute)
        intake.assign(dispute)
        if "risk" in case.flags:
            mediation.report_risk(dispute)
        mediation.measure(dispute)
        _mediate(dispute)
    dispute.write()


def _keep_unaccepted(dispute: DisputeBuilder) -> None:
    county, case = dispute.county, dispute.case
    if "transfer" in case.flags:
        housing = county.organizations.id(orgs.HOUSING_DEPARTMENT)
        sent = at(case.registered, 16, 20)
        mediation.refer(
            dispute, housing, "TRANSFER", sent, "TAKEN", sender=county.organizations.justice_office(case.town)
        )
    if case.state == "DECLINED":
        moment = at(workday(case.registered + timedelta(days=1)), 10)
        dispute.row["closed_at"] = moment
        dispute.add_event(
            moment, county.people.justice[case.town], "dispute.decline", "DECLINED", reason=dispute.row["outcome"]
        )


def _mediate(dispute: DisputeBuilder) -> None:
    case, random, row = dispute.case, dispute.random, dispute.row
    if case.state == "ACCEPTED":
        return
    first = intake.consent(dispute, refused=case.state == "REFUSED")
    if case.state == "REFUSED":
        return
    mediation.notes(dispute, first)
    last = case.concluded or min(workday(first + timedelta(days=20)), date(2024, 2, 28))
    if "extended" in case.flags or (case.concluded and case.concluded > row["due_on"]):
        consented = row["due_on"] - timedelta(days=random.randint(1, 4))
        mediation.extend(dispute, max(row["due_on"], case.concluded or date.min) + timedelta(days=15), consented)
    if last > first:
        mediation.mediate(dispute, first, last)
    if case.state == "WITHDRAWN":
        dispute.row["concluded_at"] = dispute.row["closed_at"] = at(last, 11)
        dispute.add_event(at(last, 11), dispute.mediators[0], "dispute.withdraw", "WITHDRAWN", reason=row["outcome"])
    elif case.state == "FAILED":
        _fail(dispute, last)
    elif case.state in AGREED_STATES:
        _settle(dispute, last)
    elif "draft" in case.flags:
        _draft(dispute, last)


def _fail(dispute: DisputeBuilder, day: date) -> None:
    """Termination with notice of the other remedies (People's Mediation Law, Art. 26); some go to court."""
    dispute.row["concluded_at"] = dispute.row["closed_at"] = at(day, 11)
    dispute.add_event(at(day, 11), dispute.mediators[0], "dispute.terminate", "FAILED", reason=dispute.row["outcome"])
    if "court" in dispute.case.flags:
        court = dispute.county.organizations.court(dispute.case.town)
        mediation.refer(dispute, court, "COURT_REFERRAL", at(workday(day + timedelta(days=2)), 9), "TAKEN")


def _settle(dispute: DisputeBuilder, day: date) -> None:
    case, random, row = dispute.case, dispute.random, dispute.row
    settlement.agree(dispute, day)
    if case.state == "AGREED":
        return
    performed = settlement.perform(dispute)
    if case.state == "PERFORMING":
        if random.chance(50):
            settlement.follow_up(dispute, workday(performed + timedelta(days=10)), None)
        return
    due = workday(performed + timedelta(days=15))
    done = min(workday(performed + timedelta(days=random.randint(3, 14))), _LAST_DAY)
    if random.chance(8):
        settlement.follow_up(dispute, done, done, 2, "REBOUND_SIGNS")
        done = min(workday(done + timedelta(days=3)), _LAST_DAY)
    settlement.follow_up(dispute, due, done, random.choice((5, 5, 5, 5, 4, 4, 4, 3)))
    if case.state == "PERFORMED" and random.chance(60):
        settlement.follow_up(dispute, done + timedelta(days=random.choice((20, 60, 90))), None)
    if case.state in CLOSED_STATES:
        moment = at(min(done + timedelta(days=random.randrange(3)), _LAST_DAY), 16, 30)
        row["closed_at"] = moment
        dispute.add_event(moment, dispute.mediators[0], "dispute.close", "CLOSED")
        if case.state == "ARCHIVED":
            dispute.add_event(
                moment + timedelta(days=10), dispute.county.people.justice[case.town], "dispute.archive", "ARCHIVED"
            )


def _draft(dispute: DisputeBuilder, day: date) -> None:
    """A written agreement without its signatures: it has no effect yet."""
    dispute.add(
        "agreement",
        form="WRITTEN",
        scope="FULL",
        state="DRAFT",
        content=dispute.fill("一、双方确认：{fact}二、拟约定：", fact=dispute.row["summary"])
        + dispute.fill(dispute.matter.terms[0].text),
        agreed_on=day,
        effective_on=None,
        confirm_by_on=None,
        copies=3,
        sued_on=None,
    )


def number_cases(rows: Iterable[Row]) -> None:
    """Case numbers without gaps: one series per committee and year, in the order of acceptance."""
    series: Counter[tuple[str, int]] = Counter()
    accepted = [row for row in rows if row["accepted_at"] is not None]
    for row in sorted(accepted, key=lambda row: (row["accepted_at"], row["id"])):
        town, year = row["grid_code"][:9], row["accepted_at"].year
        series[town, year] += 1
        row["case_year"], row["case_sequence"] = year, series[town, year]
        row["case_number"] = f"({year}){short_name(town)}人调字第{series[town, year]:03d}号"
