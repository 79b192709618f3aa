"""Questions of random shape, in the words of the product and in those of PostGraphile.

What is asked, how deep, filtered, ordered and counted is drawn by lot; the same seed draws the same questions. Neither contestant knows
them beforehand.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from db.tables.dispute import STATES, SUB_CATEGORIES
from tests.bench.contestant import NotServed, Running
from tests.bench.county import Question
from tests.bench.rounds import Case

SPEAKERS = ("sanlian", "postgraphile")
REFUSALS = ("FIELD_NOT_READABLE",)
DEEPEST = 4
PAGES = (5, 10, 20, 50, 100)


@dataclass(frozen=True)
class Shape:
    """A question by its number: its document for each contestant, what it is filtered by, whether it is for `one` dispute or a page."""

    name: str
    documents: Mapping[str, str]
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    one: bool = False
    paged: bool = False


@dataclass(frozen=True)
class Edge:
    """A relation by its name at PostGraphile. `order`: of a list, its first key there."""

    peer: str
    target: str
    order: str | None = None


@dataclass(frozen=True)
class Kind:
    """What of a kind of row both can say under the same rules; `computed`: fields with a name of their own at PostGraphile."""

    fields: str
    edges: Mapping[str, Edge] = field(default_factory=dict)
    computed: Mapping[str, str] = field(default_factory=dict)
    keyed: bool = True  # whether both give it the same identifier


_DISPUTE = Edge("disputeByDisputeId", "Dispute")
_REGISTERED = Edge("disputeByDisputeIdAndDisputeRegisteredAt", "Dispute")

KINDS: dict[str, Kind] = {
    "Dispute": Kind(
        "caseNumber title category subCategory source state tier riskLevel amountClaimed peopleCount summary publicSummary occurredOn"
        " registeredAt acceptedAt notifiedAt dueOn concludedAt closedAt outcome externalRef version overdue",
        {
            "compound": Edge("compoundByCompoundId", "Compound"),
            "committee": Edge("organizationByCommitteeId", "Organization"),
            "sourceOrganization": Edge("organizationBySourceOrganizationId", "Organization"),
            "squad": Edge("organizationBySquadId", "Organization"),
            "centre": Edge("organizationByCentreId", "Organization"),
            "leadMediator": Edge("lead", "Mediator"),
            "parties": Edge("partiesByDisputeId", "Party", "SIDE_ASC"),
            "assignments": Edge("assignmentsByDisputeIdAndDisputeRegisteredAt", "Assignment", "ASSIGNED_AT_ASC"),
            "sessions": Edge("sessionsByDisputeId", "Session", "HELD_AT_ASC"),
            "agreements": Edge("agreementsByDisputeId", "Agreement", "AGREED_ON_ASC"),
            "obligations": Edge("obligationsByDisputeId", "Obligation", "DUE_ON_ASC"),
            "followUps": Edge("followUpsByDisputeId", "FollowUp", "DUE_ON_ASC"),
            "referrals": Edge("referralsByDisputeIdAndDisputeRegisteredAt", "Referral", "SENT_AT_ASC"),
        },
    ),
    "Party": Kind(
        "side kind isNaturalPerson name phone address consent consentOn",
        {"company": Edge("companyByCompanyId", "Company"), "dispute": _DISPUTE},
        {"name": "shownName", "phone": "shownPhone", "address": "shownAddress"},
    ),
    "Assignment": Kind("isLead mode assignedAt endedAt", {"mediator": Edge("person", "Mediator"), "dispute": _REGISTERED}),
    "Session": Kind("heldAt place isJoint result record", {"dispute": _DISPUTE}),
    "Agreement": Kind(
        "form scope state content agreedOn effectiveOn confirmByOn copies",
        {
            "obligations": Edge("obligationsByAgreementIdAndDisputeId", "Obligation", "DUE_ON_ASC"),
            "dispute": _DISPUTE,
        },
    ),
    "Obligation": Kind(
        "kind content amount place manner dueOn state performedOn",
        {
            "agreement": Edge("agreementByAgreementIdAndDisputeId", "Agreement"),
            "party": Edge("partyByPartyIdAndDisputeId", "Party"),
            "dispute": _DISPUTE,
        },
    ),
    "FollowUp": Kind(
        "dueOn doneAt overdue method result satisfaction remark",
        {"visitor": Edge("personByVisitorId", "Person"), "dispute": _DISPUTE},
    ),
    "Referral": Kind(
        "kind state sentAt answeredAt reason reply",
        {
            "organization": Edge("organizationByOrganizationId", "Organization"),
            "fromOrganization": Edge("organizationByFromOrganizationId", "Organization"),
            "dispute": _REGISTERED,
        },
    ),
    "Compound": Kind("name address households", {"company": Edge("companyByCompanyId", "Company")}),
    "Company": Kind("name creditCode"),
    "Organization": Kind("name kind shortName"),
    "Person": Kind("name"),
    "Mediator": Kind("name", keyed=False),
}  # fmt: skip


@dataclass(frozen=True)
class Top:
    """A list of the whole service; what it can be filtered and ordered by in both."""

    name: str
    peer: str
    kind: str
    order: str
    filters: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    orders: tuple[tuple[str, str], ...] = ()


_LISTS = (
    Top(
        "disputes", "allDisputes", "Dispute", "[REGISTERED_AT_DESC, ROW_ID_DESC]",
        {
            "state": ("DisputeState", STATES), "subCategory": ("DisputeSubCategory", SUB_CATEGORIES),
            "tier": ("DisputeTier", ("TEAM", "SQUAD", "CENTRE")), "riskLevel": ("RiskLevel", ("LOW", "MEDIUM", "HIGH")),
            "source": ("DisputeSource", ("GRID", "APPLY", "HOTLINE")),
        },
        # Where a value may be missing only upwards: downwards PostGraphile puts those without one first, the product last.
        (("DUE_ON", "ASC"), ("CASE_NUMBER", "ASC"), ("AMOUNT_CLAIMED", "ASC"), ("PEOPLE_COUNT", "ASC"), ("PEOPLE_COUNT", "DESC"),
         ("TITLE", "ASC"), ("REGISTERED_AT", "ASC")),
    ),
    Top("followUps", "allFollowUps", "FollowUp", "[DUE_ON_ASC, ROW_ID_ASC]",
        {"result": ("FollowUpResult", ("NORMAL",)), "method": ("FollowUpMethod", ("PHONE",))}, (("DUE_ON", "ASC"), ("DUE_ON", "DESC"))),
    Top("agreements", "allAgreements", "Agreement", "[AGREED_ON_DESC, ROW_ID_DESC]",
        {"state": ("AgreementState", ("EFFECTIVE",)), "form": ("AgreementForm", ("ORAL", "WRITTEN"))}, (("AGREED_ON", "ASC"), ("AGREED_ON", "DESC"))),
    Top("obligations", "allObligations", "Obligation", "[DUE_ON_ASC, ROW_ID_ASC]",
        {"state": ("ObligationState", ("PENDING", "PERFORMED")), "kind": ("ObligationKind", ("OTHER",))}, (("DUE_ON", "ASC"), ("DUE_ON", "DESC"))),
    Top("referrals", "allReferrals", "Referral", "[SENT_AT_DESC, ROW_ID_DESC]",
        {"state": ("ReferralState", ("SENT", "DONE")), "kind": ("ReferralKind", ("INVITATION", "TRANSFER"))},
        (("SENT_AT", "ASC"), ("SENT_AT", "DESC"))),
)  # fmt: skip


def draw(seed: int) -> Iterator[Shape]:
    """Shapes without end. Three in five are pages of disputes, one in five is one dispute, one in five a list of something else."""
    number = 0
    while True:
        number += 1
        chance = random.Random(f"shape {seed} {number}")
        lot = chance.random()
        if lot < 0.2:
            yield _one(chance, number)
        else:
            yield _list(chance, number, _LISTS[0] if lot < 0.8 else chance.choice(_LISTS[1:]))


def _one(chance: random.Random, number: int) -> Shape:
    ours, theirs = _selection(chance, "Dispute", 0, frozenset())
    documents = {
        "sanlian": f"query S{number}($id: ID!) {{ dispute(id: $id) {{ {ours} }} }}",
        "postgraphile": f"query S{number}($id: UUID!) {{ dispute: disputeByRowId(rowId: $id) {{ {theirs} }} }}",
    }
    return Shape(f"S{number}", documents, one=True)


def _list(chance: random.Random, number: int, top: Top) -> Shape:
    ours, theirs = _selection(chance, top.kind, 0, frozenset())
    first = chance.choice(PAGES)
    filters = chance.sample(sorted(top.filters), chance.choice((0, 0, 0, 1, 1, 2)))
    ordered = bool(top.orders) and chance.random() < 0.25
    paged = top.kind == "Dispute" and not ordered and not filters and chance.random() < 0.5
    values = {name: top.filters[name][1] for name in filters}
    given, taken = [f"${name}: [{top.filters[name][0]}!]" for name in filters], [f"${name}: String" for name in filters]
    our_arguments, their_arguments = [f"first: {first}"], [f"first: {first}"]
    if paged:
        given.append("$after: String")
        taken.append("$after: Cursor")
        our_arguments.append("after: $after")
        their_arguments.append("after: $after")
    if filters:
        chosen = ", ".join(f"{name}: ${name}" for name in filters)
        our_arguments.append(f"filter: {{{chosen}}}")
        their_arguments.append(f"condition: {{{chosen}}}")
    order = top.order
    if ordered:
        by, way = chance.choice(top.orders)
        our_arguments.append(f"orderBy: [{{field: {by}, direction: {way}}}]")
        order = f"[{by}_{way}, ROW_ID_{way}]"
    their_arguments.append(f"orderBy: {order}")
    extra = " totalCount" * (chance.random() < 0.3) + " pageInfo { hasNextPage }" * (chance.random() < 0.5)
    ours = f"{top.name}({', '.join(our_arguments)}) {{{extra} nodes {{ {ours} }} }}"
    theirs = f"{top.name}: {top.peer}({', '.join(their_arguments)}) {{{extra} nodes {{ {theirs} }} }}"
    documents = {
        "sanlian": f"query S{number}{_given(given)} {{ {ours} }}",
        "postgraphile": f"query S{number}{_given(taken)} {{ {theirs} }}",
    }
    return Shape(f"S{number}", documents, values, paged=paged)


def _given(variables: list[str]) -> str:
    return f"({', '.join(variables)})" if variables else ""


def _selection(chance: random.Random, name: str, depth: int, above: frozenset[str]) -> tuple[str, str]:
    kind = KINDS[name]
    fields = kind.fields.split()
    chosen = chance.sample(fields, chance.randint(1, len(fields)))
    ours, theirs = (["id"], ["id: rowId"]) if kind.keyed else ([], [])
    for one in chosen:
        ours.append(one)
        theirs.append(f"{one}: {kind.computed[one]}" if one in kind.computed else one)
    # Nobody asks a part for the dispute in which he found it.
    edges = [one for one in kind.edges if kind.edges[one].target not in above and depth < DEEPEST]
    for one in chance.sample(edges, chance.randint(0, min(len(edges), 5 - depth))):
        edge = kind.edges[one]
        inner, outer = _selection(chance, edge.target, depth + 1, above | {name})
        ours.append(f"{one} {{ {inner} }}")
        theirs.append(
            f"{one}: {edge.peer}(orderBy: [{edge.order}, ROW_ID_ASC]) {{ nodes {{ {outer} }} }}"
            if edge.order
            else f"{one}: {edge.peer} {{ {outer} }}"
        )
    return " ".join(ours), " ".join(theirs)


def ask(shape: Shape, known: Sequence[Question], chance: random.Random) -> list[Question]:
    """Questions of the shape by the callers of `known`, which give the disputes and the places where pages begin."""
    asked = []
    for one in known:
        given: dict[str, Any] = {name: [chance.choice(values)] for name, values in shape.values.items()}
        if shape.one or shape.paged:
            given |= {"id": one.variables["id"]} if shape.one else {"after": one.variables["after"]}
        asked.append(Question(one.caller, given, shape.documents))
    return asked


def allowed(case: Case, product: Running) -> bool:
    """Whether the caller may filter and order by what the shape does: the others have no such rule."""
    try:
        product.send(product.contestant.ask(case.workload, case.questions[0]))
    except NotServed as refused:
        if any(f'"{code}"' in str(refused) for code in REFUSALS):
            return False
        raise
    return True
