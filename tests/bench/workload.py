"""The questions: one GraphQL document for each workload, who asks them, and with which variables."""

from dataclasses import dataclass

Q1 = """
query Page($first: Int!, $after: String) {
  disputes(first: $first, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id caseNumber title category subCategory source state tier registeredAt acceptedAt dueOn concludedAt version
      compound { name }
      leadMediator { name }
      parties { id side kind name phone }
      assignments { isLead mode assignedAt mediator { name } }
    }
  }
}"""

Q2 = """
query One($id: ID!) {
  dispute(id: $id) {
    id caseNumber title category subCategory source state tier riskLevel amountClaimed peopleCount summary publicSummary
    occurredOn registeredAt acceptedAt dueOn concludedAt closedAt outcome version
    compound { name address }
    leadMediator { name }
    parties { id side kind name phone address consent consentOn company { name } }
    assignments { isLead mode assignedAt mediator { name } }
    sessions { heldAt place isJoint result record }
    agreements {
      form scope state content agreedOn effectiveOn
      obligations { kind content amount dueOn state performedOn }
    }
    followUps { dueOn doneAt method result satisfaction remark }
    referrals { kind state sentAt reason organization { name } }
  }
}"""

Q3 = """
query Found($state: [DisputeState!], $subCategory: [DisputeSubCategory!]) {
  disputes(first: 20, filter: {state: $state, subCategory: $subCategory}) {
    totalCount
    pageInfo { hasNextPage }
    nodes { id caseNumber title state registeredAt concludedAt compound { name } parties { side name phone } }
  }
}"""

Q4 = """
query Figures {
  byTown: statistics(groupBy: TOWN) { groups { key label registered accepted concluded resolved } }
  byState: statistics(groupBy: STATE) { groups { key registered accepted concluded resolved } }
}"""

Q5 = """
query Day {
  disputes(first: 50, filter: {state: [ACCEPTED, MEDIATING, PERFORMING, PERFORMED]}) {
    nodes {
      id caseNumber title state dueOn overdue
      compound { name }
      leadMediator { name }
      parties { side name phone }
    }
  }
  followUps(first: 20, filter: {done: false, overdue: true}) {
    nodes { id dueOn overdue dispute { caseNumber title } }
  }
}"""

W1 = """
mutation Register($input: DisputeRegisterInput!) {
  disputeRegister(input: $input) { dispute { id state version } userErrors { code } replayed }
}"""

W2_RECORD = """
mutation Record($input: DisputeRecordInput!) {
  disputeRecord(input: $input) { dispute { id state version } userErrors { code } conflict { currentVersion } replayed }
}"""

W2_VISIT = """
mutation Visit($input: FollowUpCompleteInput!) {
  followUpComplete(input: $input) { followUp { id doneAt } userErrors { code } conflict { currentVersion } replayed }
}"""


@dataclass(frozen=True)
class Workload:
    """A question by its short name, in words, and the roles that ask it unless told otherwise."""

    name: str
    description: str
    roles: tuple[str, ...]
    writes: bool = False


WORKLOADS: dict[str, Workload] = {
    one.name: one
    for one in (
        Workload(
            "Q1",
            "a page of disputes with parties, compound and mediators",
            ("bureau_admin", "mediator", "grid_worker", "court", "agency_hotline"),
        ),
        Workload("Q2", "one dispute with everything", ("mediator", "bureau_admin")),
        Workload("Q3", "20 filtered disputes with totalCount", ("bureau_admin", "mediator", "court")),
        Workload("Q4", "statistics by town and by state", ("bureau_admin", "mediator")),
        Workload("Q5", "the grid worker's day: open disputes and overdue follow-ups", ("grid_worker",)),
        Workload("W1", "register a dispute with its parties", ("mediator",), writes=True),
        Workload("W2", "record a session and complete a follow-up, in turn", ("mediator",), writes=True),
    )
}
