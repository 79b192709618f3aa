"""Random disputes with their parts, in which every constraint of the tables holds."""

from __future__ import annotations

import datetime as dt
import uuid

from db.calendar import COUNTY_TIME
from db.tables.dispute import AFTER_PERFORMANCE_STATES, CATEGORIES, RESULTS, RISK_LEVELS, STATES, SUB_CATEGORIES
from db.tables.dispute import SOURCES as ORIGINS
from db.tables.follow_up import FOLLOW_UP_METHODS, FOLLOW_UP_RESULTS
from db.tables.measure import MEASURE_KINDS
from db.tables.obligation import OBLIGATION_KINDS, OBLIGATION_STATES, PERFORMANCE_KINDS
from db.tables.party import CONSENTS, PARTY_KINDS, SIDES
from db.tables.referral import REFERRAL_KINDS, REFERRAL_STATES
from db.tables.risk import ALERT_LEVELS, ALERT_RULES
from db.tables.session import SESSION_RESULTS, VISIBILITIES
from db.tables.visit import FACTOR_KINDS, SEVERITIES
from tests.laws.random_rows import RandomRows, Record


def add_dispute(rows: RandomRows) -> None:
    """One dispute with everything that hangs on it."""
    chance, pick = rows.random, rows.pick
    compound, number = pick("Compound"), rows.serial()
    grid, state = compound["grid_code"], chance.choice(STATES)
    registered = rows.instant(300)
    accepted = state not in ("REGISTERED", "DECLINED")
    closed = None
    if state in ("CLOSED", "ARCHIVED") or (accepted and rows.chance(0.2)):
        # Well before or after the thirtieth day.
        closed = rows.now - dt.timedelta(days=chance.choice((2, 10, 28, 33, 90)))
        registered = min(registered, closed - dt.timedelta(days=1))
    organization = rows.maybe(pick("Organization")["id"], 0.5)
    tier = chance.choice(("TEAM", "TEAM", "SQUAD", "CENTRE"))
    team = next(one for one in rows.rows["Team"] if one["grid_code"] == grid)
    result: str | None = state
    if state in ("REGISTERED", "ACCEPTED", "MEDIATING"):
        result = None
    elif state in ("AGREED", "PERFORMING"):
        result = "AGREED"
    elif state == "CLOSED":
        result = chance.choice(AFTER_PERFORMANCE_STATES)
    elif state == "ARCHIVED":
        result = chance.choice([one for one in RESULTS if one != "AGREED"])
    row = rows.add(
        "Dispute", result=result,
        case_number=f"（2025）调字第{number}号" if accepted else None, title=rows.words(), category=chance.choice(CATEGORIES),
        sub_category=chance.choice(SUB_CATEGORIES), source=chance.choice(ORIGINS), state=state, tier=tier,
        risk_level=chance.choice(RISK_LEVELS), amount_claimed=rows.maybe(rows.money()), people_count=chance.randint(0, 9),
        summary=rows.words(), public_summary=rows.maybe(rows.words()), occurred_on=rows.maybe(rows.day()),
        registered_at=registered, accepted_at=registered + dt.timedelta(hours=1) if accepted else None,
        due_on=rows.maybe(max(rows.day(), registered.astimezone(COUNTY_TIME).date())),
        concluded_at=closed - dt.timedelta(hours=1) if closed else None, closed_at=closed,
        outcome=rows.maybe(rows.words()), external_ref=rows.maybe(f"ref-{number}"), version=chance.randint(1, 9),
        late_days=chance.randint(0, 40), one_hand=rows.chance(0.3),
        committee_id=pick("Organization")["id"] if accepted else rows.maybe(pick("Organization")["id"]),
        case_year=2025 if accepted else None, case_sequence=number if accepted else None, grid_code=grid,
        community_code=grid[:12], town_code=grid[:9], county_code=grid[:6], compound_id=compound["id"],
        team_id=rows.maybe(team["id"], 0.8),
        squad_id=pick("Organization")["id"] if tier == "SQUAD" or rows.chance(0.2) else None,
        centre_id=pick("Organization")["id"] if tier == "CENTRE" or rows.chance(0.2) else None,
        source_organization_id=organization, previous_id=None, notified_at=rows.maybe(registered),
        utility_cut=rows.maybe("WATER", 0.2), advice=rows.maybe(rows.words(), 0.2),
    )  # fmt: skip
    _add_people(rows, row)
    _add_agreements(rows, row)


def _add_people(rows: RandomRows, dispute: Record) -> None:
    """Who has to do with it: parties, mediators, agencies, sessions and notes."""
    of, chance, pick = dispute["id"], rows.random, rows.pick
    for index in range(chance.randint(1, 3)):
        number, consent = rows.maybe("990101********123X", 0.5), rows.maybe(chance.choice(CONSENTS))
        rows.add(
            "Party", dispute_id=of, side=SIDES[index], kind=chance.choice(PARTY_KINDS), is_natural_person=rows.chance(0.7),
            name=rows.name(), is_alias=rows.chance(0.1), phone=rows.maybe(rows.phone()),
            address=rows.maybe(rows.address()), id_number=number, id_number_cipher=b"c" if number else None,
            id_number_hash=b"h" if number else None, credit_code=rows.maybe("91990000000000000X", 0.2),
            agent_name=rows.maybe(rows.name(), 0.3), agent_powers=rows.maybe(rows.words(), 0.3),
            withdrawn_on=rows.maybe(rows.day(), 0.1), is_minor=rows.chance(0.1), consent=consent,
            consent_on=rows.day() if consent else None, supplied_by_id=rows.maybe(pick("Organization")["id"]),
            company_id=rows.maybe(pick("Company")["id"], 0.3),
        )  # fmt: skip
    mediators = chance.sample(rows.rows["Mediator"], chance.randint(0, 3))
    for index, mediator in enumerate(mediators):
        begun = rows.instant(200)
        rows.add(
            "Assignment", dispute_id=of, dispute_registered_at=dispute["registered_at"], person_id=mediator["person_id"],
            is_lead=index == 0 and rows.chance(0.8), mode="APPOINTED", assigned_at=begun,
            ended_at=rows.maybe(begun + dt.timedelta(minutes=5), 0.3),
        )  # fmt: skip
    # Two referrals of one dispute may go to one organization, of different kinds.
    kinds = chance.sample(REFERRAL_KINDS, chance.randint(0, 3))
    receivers = [pick("Organization")["id"] for _ in range(2)]
    for kind in kinds:
        rows.add(
            "Referral", dispute_id=of, dispute_registered_at=dispute["registered_at"], organization_id=chance.choice(receivers),
            from_organization_id=rows.maybe(pick("Organization")["id"]), kind=kind, state=chance.choice(REFERRAL_STATES),
            sent_at=rows.instant(100), answered_at=None, reason=rows.words(), reply=rows.maybe(rows.words()),
        )  # fmt: skip
    for _ in range(chance.randint(0, 2)):
        session = rows.add(
            "Session", dispute_id=of, held_at=rows.instant(90), place=rows.words(), is_joint=rows.chance(0.5),
            result=rows.maybe(chance.choice(SESSION_RESULTS)), record=rows.maybe(rows.words()),
        )  # fmt: skip
        for organization in chance.sample(rows.rows["Organization"], chance.randint(0, 2)):
            rows.add("Attendance", dispute_id=of, session_id=session["id"], organization_id=organization["id"])
    sessions = [one["id"] for one in rows.parts("Session", of)]
    for _ in range(chance.randint(0, 3)):
        rows.add(
            "Note", dispute_id=of, session_id=chance.choice([*sessions, None]), author_id=pick("Person")["id"],
            visibility=chance.choice(VISIBILITIES), recorded_at=rows.instant(90), text=rows.words(),
        )  # fmt: skip
    for _ in range(chance.randint(0, 1)):
        asked, hours = rows.instant(90), rows.maybe(chance.randint(1, 40))
        rows.add(
            "Measure", dispute_id=of, kind=chance.choice(MEASURE_KINDS), requested_at=asked,
            done_at=asked + dt.timedelta(hours=hours) if hours else None, hours_to_restore=float(hours) if hours else None,
            agreed_by=rows.maybe(rows.name()), evidence=rows.maybe(rows.words()),
        )  # fmt: skip
    if rows.chance(0.6):
        add_event(rows, of)
    _add_observations(rows, of)


def _add_observations(rows: RandomRows, of: uuid.UUID) -> None:
    """What was noticed on the way: alerts, assessments, hand-overs, opinions, visits."""
    chance, person, organization = rows.random, rows.pick("Person")["id"], rows.pick("Organization")["id"]
    for kind in chance.sample(("Alert", "Assessment", "Escalation", "Recusal", "Opinion", "Visit", "Factor"), 2):
        match kind:
            case "Alert":
                closed = rows.maybe(rows.instant(9))
                rows.add(
                    kind, dispute_id=of, subject=str(of), rule=chance.choice(ALERT_RULES), level=chance.choice(ALERT_LEVELS),
                    state="CLOSED" if closed else "OPEN", message=rows.words(), opened_at=rows.instant(90),
                    due_on=rows.maybe(rows.day()), handler_id=rows.maybe(person), note=rows.words() if closed else None,
                    closed_at=closed,
                )  # fmt: skip
            case "Assessment":
                rows.add(
                    kind, dispute_id=of, assessor_id=person, level=chance.choice(RISK_LEVELS), assessed_at=rows.instant(90),
                    reason=rows.words(), reported=rows.chance(0.5),
                )  # fmt: skip
            case "Escalation":
                rows.add(
                    kind, dispute_id=of, from_tier="TEAM", to_tier="SQUAD", state="SENT", organization_id=organization,
                    reason=rows.words(), handover=rows.words(), sent_at=rows.instant(90),
                )  # fmt: skip
            case "Recusal":
                rows.add(
                    kind, dispute_id=of, kind="DISCLOSURE", person_id=person, ground=rows.words(),
                    occurred_at=rows.instant(90),
                )  # fmt: skip
            case "Opinion":
                rows.add(
                    kind, dispute_id=of, author_id=person, organization_id=rows.maybe(organization), text=rows.words(),
                    given_at=rows.instant(90),
                )  # fmt: skip
            case "Visit":
                rows.add(
                    kind, dispute_id=of, kind="HOME_VISIT", visitor_id=person, visited_at=rows.instant(90),
                    note=rows.words(),
                )  # fmt: skip
            case "Factor":
                rows.add(
                    kind, dispute_id=of, author_id=person, kind=chance.choice(FACTOR_KINDS), severity=chance.choice(SEVERITIES),
                    suggestion=rows.words(), noted_at=rows.instant(90),
                )  # fmt: skip


def _add_agreements(rows: RandomRows, dispute: Record) -> None:
    """What came of it: agreements and their performance, visits, extensions."""
    of, chance, pick = dispute["id"], rows.random, rows.pick
    party = rows.parts("Party", of)[0]["id"]
    for _ in range(chance.randint(0, 1)):
        agreed = rows.day()
        agreement = rows.add(
            "Agreement", dispute_id=of, form=chance.choice(("WRITTEN", "ORAL")), scope="FULL", state="EFFECTIVE",
            content=rows.words(), agreed_on=agreed, effective_on=agreed, confirm_by_on=rows.maybe(rows.day()),
            copies=rows.maybe(3),
        )["id"]  # fmt: skip
        rows.add(
            "Signature", dispute_id=of, agreement_id=agreement, party_id=party, person_id=None, organization_id=None,
            kind="PARTY", signed_on=rows.day(),
        )  # fmt: skip
        if rows.chance(0.4):
            decided = rows.chance(0.5)
            rows.add(
                "Confirmation", dispute_id=of, agreement_id=agreement, court_id=pick("Organization")["id"], applied_on=agreed,
                case_number=rows.maybe("（2025）民特1号"), result="CONFIRMED" if decided else None,
                decided_on=agreed + dt.timedelta(days=1) if decided else None,
            )  # fmt: skip
        for _ in range(chance.randint(0, 2)):
            state = chance.choice(OBLIGATION_STATES)
            obligation = rows.add(
                "Obligation", dispute_id=of, agreement_id=agreement, party_id=party, kind=chance.choice(OBLIGATION_KINDS),
                content=rows.words(), amount=rows.maybe(rows.money()), place=rows.maybe(rows.words()),
                manner=rows.maybe(rows.words()), due_on=rows.day(), state=state,
                performed_on=rows.day() if state in ("PERFORMED", "ENFORCED") else None,
            )["id"]  # fmt: skip
            rows.add(
                "Performance", dispute_id=of, obligation_id=obligation, kind=chance.choice(PERFORMANCE_KINDS),
                occurred_on=rows.day(), recorded_at=rows.instant(30), amount=rows.maybe(rows.money()), evidence="凭证",
                both_confirmed=rows.maybe(rows.words()), method=rows.maybe(chance.choice(FOLLOW_UP_METHODS)),
                party_id=rows.maybe(party), result=rows.maybe(rows.words()),
            )  # fmt: skip
    for _ in range(chance.randint(0, 1)):
        done = rows.chance(0.5)
        rows.add(
            "FollowUp", dispute_id=of, visitor_id=rows.maybe(pick("Person")["id"]), due_on=rows.day(),
            done_at=rows.day() if done else None, method=chance.choice(FOLLOW_UP_METHODS) if done else None,
            result=chance.choice(FOLLOW_UP_RESULTS) if done else None, satisfaction=rows.maybe(chance.randint(1, 5)),
            remark=rows.maybe(rows.words()),
        )  # fmt: skip
    if rows.chance(0.2):
        day = rows.day()
        rows.add(
            "Extension", dispute_id=of, from_on=day, to_on=day + dt.timedelta(days=30), consented_on=day,
            recorded_at=rows.instant(30),
        )  # fmt: skip


def add_event(rows: RandomRows, dispute_id: uuid.UUID | None) -> None:
    """An event of a dispute, or of none."""
    rows.add(
        "Event", dispute_id=dispute_id, actor_id=rows.maybe(rows.pick("Person")["id"]), at=rows.instant(90),
        happened_at=rows.maybe(rows.instant(90)), action="dispute.accept", resource="Dispute",
        resource_id=uuid.UUID(int=1), from_state=rows.maybe("REGISTERED"), to_state=rows.maybe("ACCEPTED"),
        fields=rows.maybe("state"), reason=rows.maybe(rows.words()), policy_version=rows.maybe(1),
        request_id=rows.maybe("r-1"), changes=None, late_reason=rows.maybe(rows.words()),
    )  # fmt: skip
