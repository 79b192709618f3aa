"""Texts that many people read tell no personal data: every text of every command's input, however deep it stands."""

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Table, Text

from db import tables as t
from db.commands import COMMANDS
from db.tables.column import column
from db.write.command import UserError
from db.write.texts import note_names, note_personal_data
from schema.names import camel
from tests.office import Office

NAME, PHONE = "王小明", "138-0000-1234"
# Texts that are told apart by their own form: a number of a person, a code, a source text of the policy.
OTHER_FORMS = {"phone", "id_number", "credit_code", "reference", "case_number", "code", "area_code"}
# What names the parties by law (人民调解法 Art. 29): the agreement with its terms, the record of a session, who agreed to a measure.
DOCUMENTS = {
    "agreement.content", "obligation.content", "obligation.place", "obligation.manner", "session.record", "measure.agreed_by",
}  # fmt: skip


class _Work:
    """As much of a unit of work as notes user errors."""

    def __init__(self) -> None:
        self.user_errors: list[UserError] = []

    def error(self, field: str, code: str, message: str) -> None:
        self.user_errors.append(UserError(field, code, message))


def _paths(input_type: Any, before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """The texts of an input type: the names that lead to each, and its form."""
    hints = typing.get_type_hints(input_type)
    for field in dataclasses.fields(input_type):
        kinds = {hints[field.name], *typing.get_args(hints[field.name])}
        nested = next((one for one in kinds if dataclasses.is_dataclass(one)), None)
        if nested is not None:
            yield from _paths(nested, (*before, field.name))
        elif str in kinds and field.metadata["codes"] is None:
            yield (*before, field.name), field.metadata["form"]


def _built(input_type: Any, path: tuple[str, ...], text: str) -> Any:
    """An input in which one text is given, and nothing else."""
    values: dict[str, Any] = {field.name: None for field in dataclasses.fields(input_type)}
    hint = typing.get_type_hints(input_type)[path[0]]
    if len(path) == 1:
        values[path[0]] = text
    else:
        nested = next(one for one in (hint, *typing.get_args(hint)) if dataclasses.is_dataclass(one))
        inner = _built(nested, path[1:], text)
        values[path[0]] = (inner,) if typing.get_origin(hint) is tuple else inner
    return input_type(**values)


TEXTS = [
    (name, path, form) for name, command in COMMANDS.items() for path, form in _paths(command.input_type)
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "path", "form"), TEXTS, ids=lambda one: ".".join(one) if isinstance(one, tuple) else one
)
def test_every_text_of_every_command_is_looked_into(name: str, path: tuple[str, ...], form: str) -> None:
    work: Any = _Work()
    input_type = COMMANDS[name].input_type
    note_personal_data(work, _built(input_type, path, f"联系{PHONE}"))
    if form in OTHER_FORMS:
        assert work.user_errors == []
        return
    (error,) = work.user_errors
    assert error.code == "PERSONAL_DATA"
    assert [part for part in error.field.split(".") if not part.isdigit()] == [camel(part) for part in path]
    assert "手机号码" in error.message
    assert PHONE not in error.message
    named: Any = _Work()
    note_personal_data(named, _built(input_type, path, f"{NAME}反映漏水"), [NAME])
    note_names(named, _built(input_type, path, f"{NAME}反映漏水"), [NAME])
    assert [one.code for one in named.user_errors] == (["PERSONAL_DATA"] * 2 if form == "shared" else [])
    assert NAME not in "".join(one.message for one in named.user_errors)


def test_a_text_column_says_what_it_is() -> None:
    """A new text must decide: whether it is an identity, which one, or who reads it."""
    with pytest.raises(ValueError, match="form"):
        column("remark", Text, "public", "备注")
    with pytest.raises(ValueError, match="form"):
        column("remark", Text, "public", "备注", form="secret")
    tables = [one for one in vars(t).values() if isinstance(one, Table)]
    documents = {str(one) for table in tables for one in table.c if one.info.get("form") == "document"}
    assert documents == DOCUMENTS


async def test_names_of_the_parties_are_known_at_every_door(office: Office) -> None:
    """At the registration they stand in the input, later in the case; an alias names nobody."""
    texts = {
        "title": "李龙反映漏水",
        "summary": "李 龙家漏水。",
        "public_summary": "业主１３８００００１２３４反映漏水",
    }
    done = await office.do(
        "mediator",
        "disputeRegister",
        **{
            **_case(await office.value("SELECT min(id::text)::uuid FROM compound WHERE grid_code = '371525002001001'")),
            **texts,
        },
    )
    assert sorted(done.user_errors) == [(field, "PERSONAL_DATA") for field in ("publicSummary", "summary", "title")]
    case = await office.mediating()
    visited = await office.do("grid_worker", "visitRecord", dispute_id=case.key, kind="HOME_VISIT", note="李龙在家。")
    assert visited.user_errors == [("note", "PERSONAL_DATA")]
    told = await office.do("mediator", "disputeAssess", id=case.key, level="LOW", reason="李龙情绪平稳。")
    assert told.user_errors == [("reason", "PERSONAL_DATA")]
    await office.execute("UPDATE party SET is_alias = true WHERE id = $1", case.applicant)
    await office.must("grid_worker", "visitRecord", dispute_id=case.key, kind="HOME_VISIT", note="李龙在家。")


async def test_a_refusal_confirms_no_name_that_the_caller_does_not_read(office: Office) -> None:
    """The bureau sees names masked: whether its guess is right, it does not learn."""
    case = await office.mediating()
    for who, stored in (("bureau_admin", True), ("justice_office", False)):
        alert = await office.value(
            "INSERT INTO alert (rule, level, state, message, opened_at, subject, dispute_id)"
            " SELECT rule, level, 'OPEN', '预警', now(), $2, $1 FROM alert_rule ORDER BY rule LIMIT 1 RETURNING id",
            case.key,
            who,
        )
        done = await office.do(who, "alertClose", id=alert, note="李龙家已回访。")
        assert done.ok == stored, done.payload


def _case(compound: Any) -> dict[str, Any]:
    """A dispute to register."""
    applicant = {"side": "APPLICANT", "kind": "OWNER", "name": "李龙"}
    return {"compound_id": compound, "sub_category": "P07", "source": "INITIATIVE", "parties": [applicant]}
