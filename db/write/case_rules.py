"""The rules of a case: what holds of its parties, of the people who act on it and of its facts, whatever command brought it about.

The unit of work asks those that what it has written may break, on the case as it then stands, before the commit. A rule is written once,
so that it holds at every door: registering, adding or correcting a party, reopening, assigning, and commands that are yet to come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, literal_column, or_, select
from sqlalchemy.types import Uuid

from db import tables as t
from db.resources.interest import is_interested
from db.resources.resource import Sql, is_in
from db.tables.agreement import IN_FORCE_STATES
from db.tables.party import MAIN_SIDES
from db.write.command import UserError

_CASE: Sql = bindparam("of_case", type_=Uuid())
_CALLER: Sql = bindparam("me", type_=Uuid())
_ONE: Sql = literal_column("1")


@dataclass(frozen=True, eq=False)
class CaseRule:
    """`broken`: whether the case breaks it. `cells`: the columns of which a change may break it. `fields`: where the mistake is, by the name of
    the input that the command has (first match); else it is about the whole input. `of_caller`: it speaks of who gives the command.
    `tells`: it compares parties by what not everybody reads of them (`GUESSED`)."""

    code: str
    message: str
    cells: frozenset[str]
    broken: Callable[[], Sql]
    fields: Mapping[str, str] = field(default_factory=dict)
    of_caller: bool = False
    tells: bool = False

    def error(self, command_input: Any) -> UserError:
        """The user error, placed in the input."""
        at = next((path for name, path in self.fields.items() if getattr(command_input, name, None) is not None), "")
        return UserError(at, self.code, self.message)


def _present(party: Any) -> list[ColumnElement[bool]]:
    return [party.c.dispute_id == _CASE, party.c.withdrawn_on.is_(None)]


def _twice() -> Sql:
    """Two parties who have not left are one: the same ID number or credit code, or the same name and telephone number."""
    one, other = t.party.alias(), t.party.alias()
    same = or_(
        one.c.id_number_hash == other.c.id_number_hash,
        one.c.credit_code == other.c.credit_code,
        and_(one.c.name == other.c.name, one.c.phone == other.c.phone),
    )
    return exists(
        select(_ONE)
        .select_from(one.join(other, and_(one.c.id < other.c.id, same)))
        .where(*_present(one), *_present(other))
    )


def _mediator_interested() -> Sql:
    at = t.assignment.alias()
    who = select(_ONE).select_from(at).where(at.c.dispute_id == _CASE, at.c.ended_at.is_(None))
    return exists(who.where(is_interested(_CASE, at.c.person_id)))


def _committee_is_party() -> Sql:
    dispute, committee, party = t.dispute.alias(), t.organization.alias(), t.party.alias()
    joined = dispute.join(committee, committee.c.id == dispute.c.committee_id).join(
        party, and_(party.c.dispute_id == dispute.c.id, party.c.name == committee.c.name)
    )
    return exists(select(_ONE).select_from(joined).where(dispute.c.id == _CASE, party.c.withdrawn_on.is_(None)))


def _committee_elsewhere() -> Sql:
    dispute, committee = t.dispute.alias(), t.organization.alias()
    covered = func.starts_with(dispute.c.grid_code, committee.c.area_code)
    joined = dispute.join(committee, committee.c.id == dispute.c.committee_id)
    return exists(select(_ONE).select_from(joined).where(dispute.c.id == _CASE, covered.is_(literal_column("false"))))


def _minor_alone() -> Sql:
    """A minor who consented, signed or is bound, and nobody acts for them."""
    party, signature, agreement = t.party.alias(), t.signature.alias(), t.agreement.alias()
    signed = exists(select(_ONE).select_from(signature).where(signature.c.party_id == party.c.id))
    bound = exists(
        select(_ONE)
        .select_from(agreement)
        .where(agreement.c.dispute_id == party.c.dispute_id, is_in(agreement.c.state, *IN_FORCE_STATES))
    )
    acted = or_(party.c.consent == literal_column("'CONSENTED'"), signed, and_(is_in(party.c.side, *MAIN_SIDES), bound))
    return exists(
        select(_ONE).select_from(party).where(*_present(party), party.c.is_minor, party.c.agent_name.is_(None), acted)
    )


def _unreported() -> Sql:
    """A high risk that nobody has assessed with a reason, and that was not reported."""
    dispute, assessment, report = t.dispute.alias(), t.assessment.alias(), t.referral.alias()
    assessed = exists(
        select(_ONE)
        .select_from(assessment)
        .where(assessment.c.dispute_id == dispute.c.id, assessment.c.level == literal_column("'HIGH'"))
    )
    reported = exists(
        select(_ONE)
        .select_from(report)
        .where(
            report.c.dispute_id == dispute.c.id,
            report.c.kind == literal_column("'RISK_REPORT'"),
            report.c.state != literal_column("'WITHDRAWN'"),
        )
    )
    return exists(
        select(_ONE)
        .select_from(dispute)
        .where(dispute.c.id == _CASE, dispute.c.risk_level == literal_column("'HIGH'"), ~or_(assessed, reported))
    )


REPORT_REQUIRED = "高风险须报送派出所（《人民调解法》第二十五条）：请同时报送，或写明不报送的理由。"
_INTERESTED = (
    "与本案当事人有利害关系（本人、任职单位或同一调解组织的同事是当事人），不能承办或办理；请先更换调解员或由他人办理。"
)
# What a party is known by.
_IDENTITY = frozenset(
    f"party.{name}" for name in ("name", "phone", "id_number_hash", "credit_code", "is_natural_person", "company_id")
)
# Of that what not everybody reads: who writes it can compare it.
GUESSED = frozenset({"party.name", "party.phone", "party.id_number_hash"})
_PARTIES = {"party": "party", "parties": "parties"}

CALLER_INTERESTED = CaseRule(
    "INTERESTED",
    f"您{_INTERESTED}",
    _IDENTITY | {"assignment.person_id", "visit.visitor_id"},
    lambda: is_interested(_CASE, _CALLER),
    _PARTIES,
    of_caller=True,
)

CASE_RULES: tuple[CaseRule, ...] = (
    CaseRule(
        "DUPLICATE",
        "同一人、同一单位不能两次列为本案当事人，也不能同时是双方。",
        _IDENTITY,
        _twice,
        {"party": "party.idNumber", "parties": "parties", "id_number": "idNumber", "credit_code": "creditCode"},
        tells=True,
    ),
    CaseRule(
        "INTERESTED",
        f"调解员{_INTERESTED}",
        _IDENTITY | {"assignment.person_id"},
        _mediator_interested,
        {"mediator_id": "mediatorId", "replacement_id": "replacementId", **_PARTIES},
    ),
    CALLER_INTERESTED,
    CaseRule(
        "INTERESTED",
        "受理的调解委员会是本案当事人，不能受理。",
        _IDENTITY | {"dispute.committee_id"},
        _committee_is_party,
        {"committee_id": "committeeId", **_PARTIES},
    ),
    CaseRule(
        "OUT_OF_AREA",
        "该调解委员会不负责这个小区所在的区域，不能编它的案号；请由本镇街的调解委员会受理。",
        frozenset({"dispute.committee_id"}),
        _committee_elsewhere,
        {"committee_id": "committeeId"},
    ),
    CaseRule(
        "GUARDIAN_REQUIRED",
        "未成年人须由法定代理人代为同意、签名；请先登记其法定代理人。",
        frozenset({"party.is_minor", "party.agent_name", "party.consent", "signature.party_id", "agreement.state"}),
        _minor_alone,
        {"party_id": "partyId", "is_minor": "isMinor", "id_number": "idNumber"},
    ),
    CaseRule(
        "REPORT_REQUIRED",
        REPORT_REQUIRED,
        frozenset({"dispute.risk_level"}),
        _unreported,
        {"risk_level": "riskLevel", "level": "level"},
    ),
)


def rules_for(written: frozenset[str], *, impartial: bool) -> tuple[CaseRule, ...]:
    """The rules that a change of these columns (`table.column`) may break. `impartial`: the caller must have no interest in the case."""
    return tuple(
        rule for rule in CASE_RULES if not rule.cells.isdisjoint(written) and (impartial or not rule.of_caller)
    )


@cache
def broken_rules(rules: tuple[CaseRule, ...]) -> Select[Any]:
    """Whether the case (`of_case`) breaks each of the rules, in their order."""
    return select(*(rule.broken().label(f"rule_{number}") for number, rule in enumerate(rules)))
