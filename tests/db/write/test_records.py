"""No command names a column that its table has not. mypy sees a record's columns as strings, so their names are compared with the tables."""

import ast
from collections.abc import Iterator
from pathlib import Path

from db import tables as t
from db.commands import COMMANDS
from db.resources.catalog import RESOURCES
from db.write.row_locks import columns_of
from policies.escalation import POLICY
from tests.paths import ROOT

# What a record is called in the commands -> its resource.
NAMED = {
    "agreement": "Agreement", "alert": "Alert",
    "appointment": "Appointment", "compound": "Compound", "confirmation": "Confirmation", "court": "Organization",
    "dispute": "Dispute", "leaving": "Mediator", "mediator": "Mediator", "named": "Organization", "obligation": "Obligation",
    "parent": POLICY, "part": "Party", "party": "Party", "person": "Person", "receiver": "Organization",
    "referral": "Referral", "replacement": "Mediator", "team": "Team", "version": POLICY, "visit": "FollowUp",
}  # fmt: skip
LOADING = {"lock", "load_visible", "load_locked"}
WRITING = {"insert", "insert_or_ignore", "update"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "db" / "commands").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(Path(path).read_text(encoding="utf-8"))


def of_work(node: ast.AST) -> str | None:
    """The method of a call `work.method(...)`."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="work"), attr=method)):
            return method
    return None


def computed(tree: ast.Module) -> set[str]:
    """What a module's rows have beside columns: facts and labels."""
    return {
        argument.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id == "Fact")
            or (isinstance(node.func, ast.Attribute) and node.func.attr == "label")
        )
        for argument in node.args[:1]
        if isinstance(argument, ast.Constant)
    }


def records(tree: ast.Module) -> Iterator[tuple[str, str | None]]:
    """The names that are bound to a record, each with its resource where the text says it."""
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name, annotation=ast.Name(id="Record")):
                yield name, None
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Await(value=ast.Call(args=[kind, *_]) as call)) if (
                of_work(call) in LOADING
            ):
                yield name, kind.value if isinstance(kind, ast.Constant) else None


def subscripts(tree: ast.Module) -> Iterator[tuple[str, str, int]]:
    """Each `name["column"]` and `record.dispute["column"]` of a name that stands for a row: name, column, line."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(
                value=ast.Name(id=name) | ast.Attribute(attr="dispute" as name),
                slice=ast.Constant(value=str() as column),
            ) if name in NAMED:
                yield name, column, node.lineno


def test_every_record_has_a_name_that_says_its_resource() -> None:
    for path, tree in modules():
        for name, resource in records(tree):
            assert name in NAMED, (path, name)
            assert resource in {None, NAMED[name]}, (path, name, resource)
    assert set(NAMED.values()) >= {command.target for command in COMMANDS.values() if command.target is not None}


def test_every_column_that_is_read_is_one_of_the_table() -> None:
    read = 0
    for path, tree in modules():
        beside = computed(tree)
        for name, column, line in subscripts(tree):
            read += 1
            assert column in {*columns_of(RESOURCES[NAMED[name]].table), *beside}, (path, line, name, column)
    assert read > 100


def test_every_column_that_is_written_is_one_of_the_table() -> None:
    written = 0
    for path, tree in modules():
        for node in ast.walk(tree):
            method = of_work(node)
            if not isinstance(node, ast.Call) or method not in {*WRITING, "update_dispute"}:
                continue
            table = t.dispute
            if method in WRITING:
                assert isinstance(node.args[0], ast.Attribute), (path, node.lineno)
                table = getattr(t, node.args[0].attr)
            names = {keyword.arg for keyword in node.keywords if keyword.arg is not None}
            written += len(names)
            assert names <= set(table.c.keys()), (path, node.lineno, table.name, names)
    assert written > 200
