"""The registry of transitions fails closed: what no command registers is neither offered nor locked for."""

from uuid import UUID

import pytest
from sqlalchemy import select

from db.commands import COMMANDS
from db.query.statement import compile_statement
from db.query.visibility import Visibility
from db.resources.catalog import CATALOG, RESOURCES
from db.resources.transitions import TRANSITIONS, Transition, register_transition, transition_of
from db.write import row_locks
from db.write.row_locks import Wanted
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access, Appointment

POLICY = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG, 1)
CLAIMS = {"person_id": UUID(int=1), "organization_id": UUID(int=2), "area_code": "1", "team_ids": []}
MEDIATOR = Visibility(Access(POLICY, [Appointment("mediator", CLAIMS)]))


def offered() -> str:
    """The statement that says what a mediator may do to a dispute."""
    dispute = RESOURCES["Dispute"]
    row, at = MEDIATOR.row(dispute, dispute.table.alias())
    return compile_statement(select(MEDIATOR.can(row)).select_from(at)).sql


def test_what_no_command_registers_is_neither_offered_nor_locked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Wanted("Dispute", "close")
    assert "'close'" in offered()
    assert "FOR UPDATE" in compile_statement(row_locks.lock_row(MEDIATOR, wanted)).sql
    monkeypatch.delitem(TRANSITIONS, ("Dispute", "close"))
    assert "'close'" not in offered()
    with pytest.raises(LookupError, match="Dispute has no transition close"):
        row_locks.lock_row(MEDIATOR, wanted)


def test_a_transition_is_registered_once_and_states_are_those_of_a_dispute() -> None:
    with pytest.raises(ValueError, match="twice"):
        register_transition("Dispute", "accept", Transition(("REGISTERED",)))
    for resource, transition in (("Dispute", Transition()), ("Team", Transition(("REGISTERED",)))):
        with pytest.raises(ValueError, match="states belong to an action on a dispute"):
            register_transition(resource, "sing", transition)
        with pytest.raises(LookupError):
            transition_of(resource, "sing")


def test_only_what_makes_a_new_row_has_no_row_to_be_asked_about() -> None:
    creating = {name for name, command in COMMANDS.items() if TRANSITIONS[command.resource, command.action].creates}
    assert creating == {"dispute.register", "team.form", "appointment.grant", "inspection.record", "visit.record"}
