"""Holds a case, as a command leaves it, to the rules of a case that the command's writes may break, before the commit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from db.write.case_rules import GUESSED, broken_rules, rules_for
from db.write.command import Outcome, Told
from db.write.disclosure import ration
from db.write.transaction import UnitOfWork


async def check_rules(work: UnitOfWork, dispute_id: UUID, given: Any, *, impartial: bool) -> None:
    """The case breaks none of the rules that this change could break. `given`: the input of the command; `impartial`: who gives it must
    have no interest in the case. Raises Refused, Told where a rule compared what was written with what is hidden."""
    written = frozenset(work.written)
    rules = rules_for(written, impartial=impartial)
    if not rules:
        return
    # SECURITY: what was brought with its dispute is compared with itself alone.
    compares = ("dispute", dispute_id) not in work.made and not GUESSED.isdisjoint(written)
    if compares and any(rule.tells for rule in rules):
        await ration(work.fetch, work.actor.person_id, work.now)
    broken = (await work.fetch(broken_rules(rules), {"of_case": dispute_id}))[0]
    told = False
    for number, rule in enumerate(rules):
        error = rule.error(given)
        # The caller who mediates is told once.
        if broken[f"rule_{number}"] and (error.field, error.code) not in [
            (one.field, one.code) for one in work.user_errors
        ]:
            work.user_errors.append(error)
            told |= compares and rule.tells
    if told:
        names = sorted(name.partition(".")[2].removesuffix("_hash") for name in GUESSED & written)
        raise Told(Outcome("Dispute", dispute_id, fields=tuple(names), dispute_id=dispute_id), *work.user_errors)
    work.raise_errors()
