"""What a command is: a noun, a verb, an input and a function that executes it in a unit of work.

One verb everywhere: the action of the policy, the function, the mutation `nounVerb`, the event `noun.verb`. The input is a frozen
dataclass whose fields carry their Chinese labels; the schema makes the input type from it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self
from uuid import UUID

from db.resources.guards import Guard
from db.resources.transitions import Transition, register_transition
from db.write.example import NOW, complete, row_of
from db.write.row_locks import Fact, Wanted


@dataclass(frozen=True)
class UserError:
    """One thing wrong with an input: the field (camelCase path, empty for the whole), a stable code, a sentence in Chinese."""

    field: str
    code: str
    message: str


class Refused(Exception):
    """The input is refused for its user errors; nothing is stored."""

    def __init__(self, *user_errors: UserError) -> None:
        super().__init__(len(user_errors))
        self.user_errors = user_errors


class Told(Refused):
    """A refusal that tells of a value which the caller may not read (db/write/disclosure.py). It is given only after `outcome` is recorded,
    and counts like a reveal."""

    def __init__(self, outcome: Outcome, *user_errors: UserError) -> None:
        super().__init__(*user_errors)
        self.outcome = outcome


class Absent(Exception):
    """There is no such row, or the caller may not do this to it: the same answer for both."""

    def __init__(self, field: str = "id") -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True)
class Difference:
    """A field that was changed meanwhile: its value at the caller's version if any is recorded, the caller's and the present one."""

    field: str
    base: str | None
    yours: str | None
    theirs: str | None


@dataclass(frozen=True)
class Conflict:
    """Somebody changed the dispute since the version that the caller has. Only fields that the caller reads in clear occur."""

    expected: int
    current: int
    differences: tuple[Difference, ...] = ()


class VersionConflict(Exception):
    """`expectedVersion` is not the row's version."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(conflict.current)
        self.conflict = conflict


class KeyReused(Exception):
    """The idempotency key was used before with another input."""


# No text of an input is longer, unless its field says so.
LONGEST = 20_000


def input_field(
    label: str,
    *,
    of: str | None = None,
    codes: tuple[str, ...] | None = None,
    longest: int = LONGEST,
    form: str = "shared",
    **options: Any,
) -> Any:
    """A field of an input. `of`: the resource that a UUID names (a global id in the schema); `codes`: a closed list of codes;
    `longest`: the length of a text at most; `form`: its canonical form, which a text takes before the command sees it. Unless it says
    otherwise, a text is one that many people read, and is refused where it tells personal data (`db.write.texts`).

    Optional with `default=None`; a list with `default=()`.
    """
    return dataclasses.field(
        kw_only=True,
        metadata={"label": label, "of": of, "codes": codes, "longest": longest, "form": form},
        **options,
    )


@dataclass(frozen=True)
class Order:
    """The input of a command as the client wrote it: the values that are right in form, by name, and what is wrong with the others.

    SECURITY: what is wrong is told to those alone who may give the command where it is given.
    """

    values: Mapping[str, Any]
    user_errors: tuple[UserError, ...] = ()

    @classmethod
    def of(cls, input: Any) -> Self:
        """The order of an input that is right in form."""
        return cls({field.name: getattr(input, field.name) for field in dataclasses.fields(input)})

    def require(self, *names: str) -> None:
        """Raises Refused where one of these values is not there because it is wrong."""
        if self.user_errors and any(name not in self.values for name in names):
            raise Refused(*self.user_errors)


class Site(NamedTuple):
    """Where a new object will stand: its attributes, about which the policy is asked, and the row that was read to know them."""

    attributes: Mapping[str, Any]
    record: Any = None


@dataclass(frozen=True)
class Place:
    """What decides who may make an object that is not there yet. `find`: its `Site`, from the unit of work and the values `names` of the
    input, and from nothing else; it raises Absent where the caller does not see the row that they name. `field` and `message`: the user
    error of those who may not make it there.
    """

    names: tuple[str, ...]
    find: Callable[[Any, Mapping[str, Any]], Awaitable[Site]]
    field: str
    message: str

    @property
    def forbidden(self) -> UserError:
        """The answer of those who may not make it there."""
        return UserError(self.field, "FORBIDDEN", self.message)


@dataclass(frozen=True)
class Outcome:
    """The result of a command: the row that it is about (`kind`, `id`), and what the event says. `fields`: names changed, never values.

    The row is one that the command made, or where it made none, one that it changed: the event is filed under it, and its entry in a
    timeline shows only where that row is seen. `UnitOfWork.finish` refuses any other.
    """

    kind: str
    id: UUID
    happened_at: Any = None
    from_state: str | None = None
    to_state: str | None = None
    fields: tuple[str, ...] = ()
    reason: str | None = None
    # What the timeline may show: (resource, row, field, value as text); shown only to those who read that cell.
    changes: tuple[tuple[str, UUID, str, str | None], ...] = ()
    # The dispute that the event belongs to, where it is not that of the row that the command names.
    dispute_id: UUID | None = None
    # SECURITY: cells in clear, for the answer of a command that reveals; never stored, never printed.
    revealed: Mapping[str, str | None] | None = dataclasses.field(default=None, repr=False)


@dataclass(frozen=True)
class Command:
    """A registered command.

    `target`: the resource of the row that the input's field `row_field` names, locked and checked before `run`; None where it is the
    `place` of a new object that decides. `shows`: the noun of the payload. `resource`, `action`: what the policy is asked.
    `example`: the smallest valid input (db/write/example.py).
    """

    noun: str
    verb: str
    label: str
    input_type: type
    run: Callable[..., Awaitable[Outcome]]
    target: str | None
    shows: str
    resource: str
    action: str
    row_field: str | None
    place: Place | None
    example: Mapping[str, Any]
    # The caller may have no more to do with the dispute afterwards (by stepping back, or sending it back).
    leaves: bool = False
    # It answers with cells in clear, once: its receipt is not given again.
    reveals: bool = False
    # The caller waits for what becomes of it: nothing to be kept for later while offline.
    online: bool = False
    # What it must know of the row beside its columns; they are in the record.
    facts: tuple[Fact, ...] = ()
    # Columns of a new part that name the caller, where the policy is asked about that part of the target.
    mine: tuple[str, ...] = ()
    # The facts of the case that its own rests on, beside the registration: none of them is later (db/write/chronology.py).
    rests_on: tuple[str, ...] = ()
    # It is one of those by which a case is made: somebody else must have had a hand in them before it is closed.
    by_hand: bool = False

    @property
    def wanted(self) -> Wanted | None:
        """The row that it wants; None where there is none yet."""
        if self.target is None:
            return None
        return Wanted(self.target, self.action, self.resource if self.makes else None, self.mine)

    @property
    def forbidden(self) -> UserError:
        """The one answer of those who may not, whatever they sent."""
        return forbidden_on(self.row_field or "id") if self.place is None else self.place.forbidden

    @property
    def makes(self) -> bool:
        """Whether the policy is asked about the new object that it makes."""
        return self.target is None or self.resource != self.target

    @property
    def name(self) -> str:
        """`dispute.accept`"""
        return f"{self.noun}.{self.verb}"

    @property
    def payload(self) -> str:
        """The name of its payload: that of the noun it shows, or its own."""
        return f"{self.shows}RevealPayload" if self.reveals else f"{self.shows}Payload"


def forbidden_on(field: str) -> UserError:
    """The user error of those who may not do this to the row that the field names. `field`: as a column, `dispute_id`."""
    head, *rest = field.split("_")
    name = head + "".join(word.title() for word in rest)
    return UserError(name, "FORBIDDEN", "您无权办理此事项，或它现在不由您办理。")


COMMANDS: dict[str, Command] = {}


def command(
    noun: str,
    verb: str,
    label: str,
    input_type: type,
    *,
    target: str | None,
    shows: str,
    example: Mapping[str, Any] | None = None,
    asks: tuple[str, str] | None = None,
    row_field: str | None = None,
    place: Place | None = None,
    mine: tuple[str, ...] = (),
    states: tuple[str, ...] | None = None,
    guards: tuple[Guard, ...] = (),
    on_archived: bool = False,
    leaves: bool = False,
    reveals: bool = False,
    online: bool = False,
    impartial: bool = True,
    facts: tuple[Fact, ...] = (),
    rests_on: tuple[str, ...] = (),
    by_hand: bool = False,
) -> Callable[[Any], Any]:
    """Registers the function as `noun.verb`. It is called with (work, record, input): the record is the target, or what its place was
    read from; without either with (work, input).

    The policy is asked for the verb on the target, or on what it shows, or for `asks` (resource, action). `row_field`: the input's field
    that names the target, `id` unless it is said. `mine`: see `Command`. `states`, `guards`, `on_archived`, `impartial`: where the action
    may start, and for whom (db/resources/transitions.py). `example`: the smallest valid input; the row and the time (`happened_at`: now)
    are added where they are required. Raises ValueError where the name, the action or the example does not fit, or nothing says what the
    policy is asked about.
    """
    resource, action = asks or (target or shows, verb)
    if (target is None) is (place is None):
        raise ValueError(f"{noun}.{verb} needs a target or a place, and not both")
    if target is not None:
        row_field = row_field or "id"
    full = _completed(input_type, example or {}, {"happened_at": NOW, row_field: row_of(target or resource)})
    asked = (target, shows, resource, action, row_field, place)
    creates = row_field is None or (target is not None and resource != target)

    def register(run: Callable[..., Awaitable[Outcome]]) -> Callable[..., Awaitable[Outcome]]:
        after: tuple[bool, bool, bool, tuple[Fact, ...], tuple[str, ...]] = (leaves, reveals, online, facts, mine)
        registered = Command(
            noun, verb, label, input_type, run, *asked, full, *after, rests_on=rests_on, by_hand=by_hand
        )
        if registered.name in COMMANDS:
            raise ValueError(f"{registered.name} is registered twice")
        register_transition(resource, action, Transition(states, guards, creates, on_archived, impartial))
        COMMANDS[registered.name] = registered
        return run

    return register


def _completed(input_type: type, example: Mapping[str, Any], added: Mapping[Any, Any]) -> Mapping[str, Any]:
    """The example with what is added where it is required."""
    required = {field.name for field in dataclasses.fields(input_type) if field.default is dataclasses.MISSING}
    return complete(input_type, {name: added[name] for name in required & added.keys()} | dict(example))
