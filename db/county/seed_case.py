"""The seed case, for which the county's model is known: a water card refused on 2023-12-27, settled and paid on 2024-02-20.

Dates and events are those that were reported; the place, the amounts and the words are invented, and 李龙 is an alias.
"""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from db.county import intake, mediation, settlement
from db.county import organizations as orgs
from db.county.builder import County, DisputeBuilder, start_dispute
from db.county.deterministic import at
from db.county.people import PRINCIPALS, SECOND_MEDIATOR
from db.county.scenarios import SEED_CASE

_REFUSED_ON = date(2023, 12, 27)
_AGREED_ON = date(2024, 2, 20)
_FEE = Decimal("1860.00")


def build_seed_case(county: County) -> None:
    """Registered, accepted and water restored on one day; agreed after an extension; paid at once."""
    dispute = start_dispute(county, SEED_CASE)
    _register(dispute)
    _accept(dispute, county.people.ids[PRINCIPALS["mediator"]], county.people.ids[SECOND_MEDIATOR])
    _mediate(dispute)
    _perform(dispute, _agree(dispute))
    _close(dispute)
    dispute.write()


def _register(dispute: DisputeBuilder) -> None:
    company = dispute.compound.company
    dispute.row |= {
        "title": "物业公司以拖欠物业费为由拒绝水卡充值纠纷",
        "registered_at": at(_REFUSED_ON, 9, 10),
        "occurred_on": _REFUSED_ON,
        "risk_level": "MEDIUM",
        "amount_claimed": _FEE,
        "people_count": 2,
        "summary": (
            "业主李某到物业服务中心为水卡充值，物业公司以其拖欠物业费1860元为由拒绝，家中用水中断。"
            "李某称单元门灯长期不亮、保洁不及时，多次反映无果才停交物业费。"
        ),
        "public_summary": (
            "崇文街道某小区物业公司以业主拖欠物业费为由拒绝水卡充值。当日先恢复供水，后双方达成协议，费用当日付清。"
        ),
        "outcome": "调解成功，协议当日履行完毕，回访满意，结案",
    }
    dispute.placeholders |= {"building": "6", "amount": "1860", "applicant": "李某", "respondent": "物业公司"}
    intake.write_party(dispute, "APPLICANT", "OWNER", True, "李龙", alias=True)
    intake.write_party(dispute, "RESPONDENT", "COMPANY", False, company)
    dispute.add_event(
        dispute.registered_at,
        dispute.county.people.grid_worker[dispute.compound.grid],
        "dispute.register",
        "REGISTERED",
    )


def _accept(dispute: DisputeBuilder, lead: UUID, second: UUID) -> None:
    """Acceptance, both mediators, the consents, and the interim measure, all on the day of the refusal."""
    intake.accept_at(dispute, at(_REFUSED_ON, 9, 30))
    intake.appoint(dispute, lead, at(_REFUSED_ON, 9, 40), is_lead=True)
    intake.appoint(dispute, second, at(_REFUSED_ON, 9, 45), is_lead=False)
    for row in dispute.county.rows.tables["party"][-2:]:
        row["consent"], row["consent_on"] = "CONSENTED", _REFUSED_ON
    dispute.add_event(at(_REFUSED_ON, 9, 50), lead, "dispute.notify", "MEDIATING")
    mediation.write_measure(dispute, "WATER", at(_REFUSED_ON, 10), at(_REFUSED_ON, 15, 30))
    housing = dispute.county.organizations.id(orgs.HOUSING_DEPARTMENT)
    mediation.refer(dispute, housing, "LEAD", at(_REFUSED_ON, 10, 20), "DONE", replied=at(date(2023, 12, 29), 16))


def _mediate(dispute: DisputeBuilder) -> None:
    lead, second = dispute.mediators
    _add_note(
        dispute,
        "SHARED",
        lead,
        date(2023, 12, 27),
        "当日联系物业公司，说明不得以停止供水方式催交物业费，公司同意先为水卡充值。",
    )
    _add_note(
        dispute,
        "TEAM",
        second,
        date(2024, 1, 4),
        "网格员反映该单元门灯确已损坏两个月，建议请物业公司先修门灯再谈欠费。",
    )
    _add_note(
        dispute,
        "CAUCUS",
        lead,
        date(2024, 1, 11),
        "李某私下表示只要门灯修好、有人道歉，愿意一次付清，暂勿告知物业公司。",
    )
    _add_note(
        dispute, "CAUCUS", lead, date(2024, 1, 12), "物业公司私下表示可免收违约金，但要求年前付清，暂勿告知业主。"
    )
    mediation.session(dispute, at(date(2024, 1, 11), 15), "TO_CONTINUE", joint=False)
    mediation.extend(dispute, date(2024, 2, 29), consented=date(2024, 1, 26))
    _add_note(dispute, "TEAM", second, date(2024, 2, 19), "门灯已修好，双方态度缓和，明天约双方到中心，再加把劲。")
    mediation.session(dispute, at(_AGREED_ON, 9, 30), "AGREED", joint=False)


def _agree(dispute: DisputeBuilder) -> UUID:
    """The agreement, signed and sealed; its identifier."""
    lead = dispute.mediators[0]
    agreement = dispute.add(
        "agreement",
        form="WRITTEN",
        scope="FULL",
        state="EFFECTIVE",
        content=(
            "一、业主补缴物业费1860元，于签约当日付清；二、物业公司免收违约金，今后不以停止充值等方式催交费用；"
            "三、双方就本次停水再无其他争议。"
        ),
        agreed_on=_AGREED_ON,
        effective_on=_AGREED_ON,
        confirm_by_on=date(2024, 3, 21),
        copies=3,
        sued_on=None,
    )
    settlement.sign(dispute, agreement, _AGREED_ON)
    dispute.row["concluded_at"] = at(_AGREED_ON, 10, 40)
    dispute.add_event(
        at(_AGREED_ON, 10, 40), lead, "dispute.agree", "AGREED", resource="Agreement", resource_id=agreement
    )
    return agreement


def _perform(dispute: DisputeBuilder, agreement: UUID) -> None:
    lead = dispute.mediators[0]
    obligation = dispute.add(
        "obligation",
        agreement_id=agreement,
        party_id=dispute.side("APPLICANT").id,
        kind="PAY",
        content="业主补缴物业费1860元",
        amount=_FEE,
        place="物业服务中心",
        manner="转账",
        due_on=_AGREED_ON,
        state="PERFORMED",
        performed_on=_AGREED_ON,
    )
    performance = dispute.add(
        "performance",
        obligation_id=obligation,
        kind="PERFORM",
        occurred_on=_AGREED_ON,
        recorded_at=at(_AGREED_ON, 11, 20),
        amount=_FEE,
        evidence="收款收据第2024022001号",
        both_confirmed=None,
    )
    dispute.add_event(
        at(_AGREED_ON, 11, 20), lead, "obligation.perform", resource="Performance", resource_id=performance
    )
    dispute.add_event(
        at(_AGREED_ON, 11, 21), lead, "dispute.perform", "PERFORMED", resource="Obligation", resource_id=obligation
    )


def _close(dispute: DisputeBuilder) -> None:
    lead = dispute.mediators[0]
    settlement.follow_up(dispute, _AGREED_ON + timedelta(days=15), date(2024, 2, 26), 5)
    dispute.row["closed_at"] = at(date(2024, 2, 27), 10)
    dispute.add_event(dispute.row["closed_at"], lead, "dispute.close", "CLOSED")


def _add_note(dispute: DisputeBuilder, visibility: str, author: UUID, day: date, text: str) -> None:
    row = dispute.add(
        "note", session_id=None, author_id=author, visibility=visibility, recorded_at=at(day, 16, 40), text=text
    )
    dispute.add_event(at(day, 16, 40), author, "dispute.record", resource="Note", resource_id=row)
