"""Who may not act on a dispute because of who its parties are: the one place that says it, in SQL, for whoever meets a case by whatever door.

《关于人民法院特邀调解的规定》 Art. 15, by analogy: whoever is a party, works for one, or mediates in the same organization as one.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, exists, literal_column, or_, select

from db import tables as t
from db.resources.aliases import alias
from db.resources.resource import Sql


def is_interested(dispute_id: Sql, person_id: Sql) -> Sql:
    """A party of the dispute, who has not left it, is the person, their employer, or a colleague in their organization of mediators."""
    party, company, own, names = alias(t.party), alias(t.company), alias(t.person), _employers(person_id)
    mates = _colleagues(person_id)
    # Somebody of the same name is the same person unless their telephone numbers say otherwise.
    namesake = and_(party.c.name == own.c.name, or_(party.c.phone.is_(None), own.c.phone.is_(None)))
    is_own = exists(
        select(literal_column("1"))
        .select_from(own)
        .where(own.c.id == person_id, or_(party.c.phone == own.c.phone, and_(party.c.is_natural_person, namesake)))
        .correlate_except(own)
    )
    # Whatever kind of party it was written down as: nobody is called like an organization by chance.
    employs = or_(party.c.name.in_(names), company.c.name.in_(names))
    is_colleague = and_(party.c.is_natural_person, party.c.phone.in_(mates))
    return exists(
        select(literal_column("1"))
        .select_from(party.outerjoin(company, company.c.id == party.c.company_id))
        .where(party.c.dispute_id == dispute_id, party.c.withdrawn_on.is_(None), or_(is_own, employs, is_colleague))
        .correlate_except(party, company)
    )


def _employers(person_id: Sql) -> Select[Any]:
    """The names of the organizations where the person has, or had, a post or is registered as a mediator."""
    post, mediator, organization = alias(t.appointment), alias(t.mediator), alias(t.organization)
    of_posts = select(post.c.organization_id).where(post.c.person_id == person_id).correlate_except(post)
    of_register = select(mediator.c.organization_id).where(mediator.c.person_id == person_id).correlate_except(mediator)
    return (
        select(organization.c.name)
        .where(or_(organization.c.id.in_(of_posts), organization.c.id.in_(of_register)))
        .correlate_except(organization)
    )


def _colleagues(person_id: Sql) -> Select[Any]:
    """The telephone numbers of the mediators of the person's organization."""
    own, other, person = alias(t.mediator), alias(t.mediator), alias(t.person)
    register = own.join(other, other.c.organization_id == own.c.organization_id)
    return (
        select(person.c.phone)
        .select_from(register.join(person, person.c.id == other.c.person_id))
        .where(own.c.person_id == person_id, person.c.phone.is_not(None))
        .correlate_except(own, other, person)
    )
