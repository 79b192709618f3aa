"""Questions of random shape, in the schema of the product and in that of PostGraphile.

What is asked, how deep, filtered, ordered and counted is random; the same seed makes the same questions. Neither contestant knows
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

COMPARED = ("sanlian", "postgraphile")
REFUSALS = ("FIELD_NOT_READABLE",)
DEEPEST = 4
PAGES = (5, 10, 20, 50, 100)


@dataclass(frozen=True)
class RandomQuery:
    """A question by its number: its document for each contestant, what it is filtered by, whether it is for `one` dispute or a page."""

    name: str
    documents: Mapping[str, str]
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    one: bool = False
    paged: bool = False


@dataclass(frozen=True)
class Relation:
    """A relation by its name at PostGraphile. `order`: of a list, its first key there."""

    peer: str
    target: str
    order: str | None = None


@dataclass(frozen=True)
class ObjectType:
    """What of a kind of row both can say under the same rules; `computed`: fields with a name of their own at PostGraphile."""

    fields: str
    edges: Mapping[str, Relation] = field(default_factory=dict)
    computed: Mapping[str, str] = field(default_factory=dict)
    keyed: bool = True  # whether both give it the same identifier


_DISPUTE = Relation("disputeByDisputeId", "Dispute")
_REGISTERED = Relation("disputeByDisputeIdAndDisputeRegisteredAt", "Dispute")

OBJECT_TYPES: dict[str, ObjectType] = {
    "Dispute": ObjectType(
        "caseNumber title category subCategory source state tier riskLevel amountClaimed peopleCount summary publicSummary occurredOn"
        " registeredAt acceptedAt notifiedAt dueOn concludedAt closedAt outcome externalRef version overdue",
        {
            "compound": Relation("compoundByCompoundId", "Compound"),
            "committee": Relation("organizationByCommitteeId", "Organization"),
            "sourceOrganization": Relation("organizationBySourceOrganizationId", "Organization"),
            "squad": Relation("organizationBySquadId", "Organization"),
            "centre": Relation("organizationByCentreId", "Organization"),
            "leadMediator": Relation("lead", "Mediator"),
            "parties": Relation("partiesByDisputeId", "Party", "SIDE_ASC"),
            "assignments": Relation("assignmentsByDisputeIdAndDisputeRegisteredAt", "Assignment", "ASSIGNED_AT_ASC"),
            "sessions": Relation("sessionsByDisputeId", "Session", "HELD_AT_ASC"),
            "agreements": Relation("agreementsByDisputeId", "Agreement", "AGREED_ON_ASC"),
            "obligations": Relation("obligationsByDisputeId", "Obligation", "DUE_ON_ASC"),
            "followUps": Relation("followUpsByDisputeId", "FollowUp", "DUE_ON_ASC"),
            "referrals": Relation("referralsByDisputeIdAndDisputeRegisteredAt", "Referral", "SENT_AT_ASC"),
        },
    ),
    "Party": ObjectType(
        "side kind isNaturalPerson name phone address consent consentOn",
        {"company": Relation("companyByCompanyId", "Company"), "dispute": _DISPUTE},
        {"name": "shownName", "phone": "shownPhone", "address": "shownAddress"},
    ),
    "Assignment": ObjectType("isLead mode assignedAt endedAt", {"mediator": Relation("person", "Mediator"), "dispute": _REGISTERED}),
    "Session": ObjectType("heldAt place isJoint result record", {"dispute": _DISPUTE}),
    "Agreement": ObjectType(
        "form scope state content agreedOn effectiveOn confirmByOn copies",
        {
            "obligations": Relation("obligationsByAgreementIdAndDisputeId", "Obligation", "DUE_ON_ASC"),
            "dispute": _DISPUTE,
        },
    ),
    "Obligation": ObjectType(
        "kind content amount place manner dueOn state performedOn",
        {
            "agreement": Relation("agreementByAgreementIdAndDisputeId", "Agreement"),
            "party": Relation("partyByPartyIdAndDisputeId", "Party"),
            "dispute": _DISPUTE,
        },
    ),
    "FollowUp": ObjectType(
        "dueOn doneAt overdue method result satisfaction remark",
        {"visitor": Relation("personByVisitorId", "Person"), "dispute": _DISPUTE},
    ),
    "Referral": ObjectType(
        "kind state sentAt answeredAt reason reply",
        {
            "organization": Relation("organizationByOrganizationId", "Organization"),
            "fromOrganization": Relation("organizationByFromOrganizationId", "Organization"),
            "dispute": _REGISTERED,
        },
    ),
    "Compound": ObjectType("name address households", {"company": Relation("companyByCompanyId", "Company")}),
    "Company": ObjectType("name creditCode"),
    "Organization": ObjectType("name kind shortName"),
    "Person": ObjectType("name"),
    "Mediator": ObjectType("name", keyed=False),
}  # fmt: skip


@dataclass(frozen=True)
class ListField:
    """A list of the whole service; what it can be filtered and ordered by in both."""

    name: str
    peer: str
    kind: str
    order: str
    filters: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    orders: tuple[tuple[str, str], ...] = ()


_LISTS = (
    ListField(
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
    ListField("followUps", "allFollowUps", "FollowUp", "[DUE_ON_ASC, ROW_ID_ASC]",
        {"result": ("FollowUpResult", ("NORMAL",)), "method": ("FollowUpMethod", ("PHONE",))}, (("DUE_ON", "ASC"), ("DUE_ON", "DESC"))),
    ListField("agreements", "allAgreements", "Agreement", "[AGREED_ON_DESC, ROW_ID_DESC]",
        {"state": ("AgreementState", ("EFFECTIVE",)), "form": ("AgreementForm", ("ORAL", "WRITTEN"))}, (("AGREED_ON", "ASC"), ("AGREED_ON", "DESC"))),
    ListField("obligations", "allObligations", "Obligation", "[DUE_ON_ASC, ROW_ID_ASC]",
        {"state": ("ObligationState", ("PENDING", "PERFORMED")), "kind": ("ObligationKind", ("OTHER",))}, (("DUE_ON", "ASC"), ("DUE_ON", "DESC"))),
    ListField("referrals", "allReferrals", "Referral", "[SENT_AT_DESC, ROW_ID_DESC]",
        {"state": ("ReferralState", ("SENT", "DONE")), "kind": ("ReferralKind", ("INVITATION", "TRANSFER"))},
        (("SENT_AT", "ASC"), ("SENT_AT", "DESC"))),
)  # fmt: skip


def generate(seed: int) -> Iterator[RandomQuery]:
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


def _one(chance: random.Random, number: int) -> RandomQuery:
    ours, theirs = _selection(chance, "Dispute", 0, frozenset())
    documents = {
        "sanlian": f"query S{number}($id: ID!) {{ dispute(id: $id) {{ {ours} }} }}",
        "postgraphile": f"query S{number}($id: UUID!) {{ dispute: disputeByRowId(rowId: $id) {{ {theirs} }} }}",
    }
    return RandomQuery(f"S{number}", documents, one=True)


def _list(chance: random.Random, number: int, top: ListField) -> RandomQuery:
    ours, theirs = _selection(chance, top.kind, 0, frozenset())
    first = chance.choice(PAGES)
    filters = chance.sample(sorted(top.filters), chance.choice((0, 0, 0, 1, 1, 2)))
    ordered = bool(top.orders) and chance.random() < 0.25
    paged = top.kind == "Dispute" and not ordered and not filters and chance.random() < 0.5
    values = {name: top.filters[name][1] for name in filters}
    our_variables, their_variables = (
        [f"${name}: [{top.filters[name][0]}!]" for name in filters],
        [f"${name}: String" for name in filters],
    )
    our_arguments, their_arguments = [f"first: {first}"], [f"first: {first}"]
    if paged:
        our_variables.append("$after: String")
        their_variables.append("$after: Cursor")
        our_arguments.append("after: $after")
        their_arguments.append("after: $after")
    if filters:
        chosen = ", ".join(f"{name}: ${name}" for name in filters)
        our_arguments.append(f"filter: {{{chosen}}}")
        their_arguments.append(f"condition: {{{chosen}}}")
    order = top.order
    if ordered:
        by, direction = chance.choice(top.orders)
        our_arguments.append(f"orderBy: [{{field: {by}, direction: {direction}}}]")
        order = f"[{by}_{direction}, ROW_ID_{direction}]"
    their_arguments.append(f"orderBy: {order}")
    extra = " totalCount" * (chance.random() < 0.3) + " pageInfo { hasNextPage }" * (chance.random() < 0.5)
    ours = f"{top.name}({', '.join(our_arguments)}) {{{extra} nodes {{ {ours} }} }}"
    theirs = f"{top.name}: {top.peer}({', '.join(their_arguments)}) {{{extra} nodes {{ {theirs} }} }}"
    documents = {
        "sanlian": f"query S{number}{_variable_definitions(our_variables)} {{ {ours} }}",
        "postgraphile": f"query S{number}{_variable_definitions(their_variables)} {{ {theirs} }}",
    }
    return RandomQuery(f"S{number}", documents, values, paged=paged)


def _variable_definitions(variables: list[str]) -> str:
    return f"({', '.join(variables)})" if variables else ""


def _selection(chance: random.Random, name: str, depth: int, above: frozenset[str]) -> tuple[str, str]:
    object_type = OBJECT_TYPES[name]
    fields = object_type.fields.split()
    chosen = chance.sample(fields, chance.randint(1, len(fields)))
    ours, theirs = (["id"], ["id: rowId"]) if object_type.keyed else ([], [])
    for one in chosen:
        ours.append(one)
        theirs.append(f"{one}: {object_type.computed[one]}" if one in object_type.computed else one)
    # A part is not asked for the dispute that it was reached through.
    edges = [one for one in object_type.edges if object_type.edges[one].target not in above and depth < DEEPEST]
    for one in chance.sample(edges, chance.randint(0, min(len(edges), 5 - depth))):
        edge = object_type.edges[one]
        inner, outer = _selection(chance, edge.target, depth + 1, above | {name})
        ours.append(f"{one} {{ {inner} }}")
        theirs.append(
            f"{one}: {edge.peer}(orderBy: [{edge.order}, ROW_ID_ASC]) {{ nodes {{ {outer} }} }}"
            if edge.order
            else f"{one}: {edge.peer} {{ {outer} }}"
        )
    return " ".join(ours), " ".join(theirs)


def questions_of(query: RandomQuery, examples: Sequence[Question], chance: random.Random) -> list[Question]:
    """Questions of the shape by the callers of the examples, which give the disputes and the places where pages begin."""
    asked = []
    for one in examples:
        variables: dict[str, Any] = {name: [chance.choice(values)] for name, values in query.values.items()}
        if query.one or query.paged:
            variables |= {"id": one.variables["id"]} if query.one else {"after": one.variables["after"]}
        asked.append(Question(one.caller, variables, query.documents))
    return asked


def allowed(case: Case, product: Running) -> bool:
    """Whether the caller may filter and order by what the shape does: the others have no such rule."""
    try:
        product.send(product.request(case.workload, case.questions[0]))
    except NotServed as refused:
        if any(f'"{code}"' in str(refused) for code in REFUSALS):
            return False
        raise
    return True
