"""Each fact is written once: state sets beside their noun, county time in the calendar, advisory locks in their list."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import db.tables
from db.calendar import COUNTY_ZONE
from db.postgres.advisory_locks import AdvisoryLock
from tests.paths import ROOT

# Not the migrations: a released one says for ever what held when it was written.
FOLDERS = ("api", "schema", "db", "policies")
CODE = re.compile(r"[A-Z][A-Z0-9_]*")
# Codes that stand beside each other as SQL text, whatever encloses them.
LISTED = re.compile(r"'[A-Za-z0-9_]+'(?:, ?'[A-Za-z0-9_]+')+")
ADVISORY = re.compile(r"pg_(?:try_)?advisory_(?:xact_)?(?:un)?lock(?:_shared)?\s*\(\s*([^)]*)\)?")


def sources() -> Iterator[tuple[Path, ast.Module]]:
    """Every module that runs, parsed."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.relative_to(ROOT).parts:
                yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def table_modules() -> Iterator[ModuleType]:
    for path in sorted(Path(db.tables.__path__[0]).glob("*.py")):
        yield importlib.import_module(f"db.tables.{path.stem}" if path.stem != "__init__" else "db.tables")


def code_sets() -> dict[tuple[str, ...], list[str]]:
    """Every list of two or more codes that a table module names, in any order, with its names."""
    sets: dict[tuple[str, ...], list[str]] = {}
    for module in table_modules():
        for name, value in vars(module).items():
            if isinstance(value, tuple) and len(value) > 1 and all(CODE.fullmatch(str(code)) for code in value):
                sets.setdefault(tuple(sorted(value)), []).append(f"{module.__name__}.{name}")
    return sets


def text_of(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def listed(node: ast.AST) -> Iterator[tuple[str, ...]]:
    """The lists of texts that a node spells: a tuple, arguments beside each other, or codes within SQL."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        texts = [text_of(item) for item in node.elts]
        if None not in texts:
            yield tuple(text for text in texts if text is not None)
    elif isinstance(node, ast.Call):
        run: list[str] = []
        for text in (*(text_of(argument) for argument in node.args), None):
            if text is None:
                yield tuple(run)
                run = []
            else:
                run.append(text)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        for match in LISTED.finditer(node.value):
            yield tuple(code.strip(" '") for code in match.group().split(","))


def definitions(path: Path, tree: ast.Module) -> set[int]:
    """The tuples that a table module names, as `X = (...)` or `X = Codes((...))`."""
    if path.parent != Path("db/tables"):
        return set()
    values = [node.value for node in tree.body if isinstance(node, ast.Assign)]
    values += [node.args[0] for node in values if isinstance(node, ast.Call) and ast.unparse(node.func) == "Codes"]
    return {id(value) for value in values if isinstance(value, ast.Tuple)}


def copies(path: Path, tree: ast.Module, sets: dict[tuple[str, ...], list[str]]) -> Iterator[str]:
    named = definitions(path, tree)
    for node in ast.walk(tree):
        if id(node) in named:
            continue
        for codes in listed(node):
            if tuple(sorted(codes)) in sets:
                line: Any = getattr(node, "lineno", 0)
                yield f"{path}:{line}: {codes} is {' or '.join(sets[tuple(sorted(codes))])}"


def test_a_list_of_codes_is_written_once() -> None:
    sets = code_sets()
    assert len(sets) > 40
    assert [copy for path, tree in sources() for copy in copies(path, tree, sets)] == []


def test_a_list_of_codes_has_one_name() -> None:
    """The risk of a dispute and the severity of a factor are two facts that happen to have the same three words."""
    names: dict[tuple[str, ...], set[str]] = {}
    for path, tree in sources():
        named = definitions(path, tree)
        for assigned in (node for node in tree.body if isinstance(node, ast.Assign)):
            for node in ast.walk(assigned.value):
                if id(node) in named:
                    for codes in listed(node):
                        names.setdefault(tuple(sorted(codes)), set()).add(ast.unparse(assigned.targets[0]))
    assert {codes: found for codes, found in names.items() if len(found) > 1} == {
        ("HIGH", "LOW", "MEDIUM"): {"RISK_LEVELS", "SEVERITIES"}
    }


def test_a_copy_is_found_in_every_form() -> None:
    """The scan itself: a tuple, a list in another order, arguments, SQL in brackets, and a part of an f-string."""
    text = """
OWED = ("PENDING", "PARTLY_PERFORMED")
a = state in ["PARTLY_PERFORMED", "PENDING"]
b = is_in(column, "PENDING", "PARTLY_PERFORMED", *more)
c = "state IN ('PENDING', 'PARTLY_PERFORMED')"
d = f"{column} IN ('PENDING','PARTLY_PERFORMED')"
e = ("PENDING", "PARTLY_PERFORMED", "PERFORMED")
"""
    found = copies(Path("db/query/some.py"), ast.parse(text), code_sets())
    assert sorted(line.split(":")[1] for line in found) == ["2", "3", "4", "5", "6"]
    assert len(list(copies(Path("db/tables/some.py"), ast.parse(text), code_sets()))) == 4


def test_every_state_of_a_dispute_is_open_or_ended() -> None:
    from db.tables.dispute import ENDED_STATES, OPEN_STATES, STATES

    assert sorted((*OPEN_STATES, *ENDED_STATES)) == sorted(STATES)


def test_county_time_stands_in_the_calendar() -> None:
    assert [str(path) for path, _ in sources() if COUNTY_ZONE in (ROOT / path).read_text(encoding="utf-8")] == [
        "db/calendar.py"
    ]


def advisory_arguments(tree: ast.Module) -> Iterator[str]:
    """What is passed to each advisory lock function, in SQL text and in SQLAlchemy's `func`, as source."""
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and "advisory" in ast.unparse(node.func):
            yield from (ast.unparse(argument) for argument in node.args)
        elif (isinstance(node, ast.JoinedStr) or text_of_any(node)) and id(node) not in docstrings | inner:
            yield from ADVISORY.findall(ast.unparse(node))


def text_of_any(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def test_every_advisory_lock_is_in_the_list() -> None:
    """A number of the list, a parameter that is given one, or the 64-bit hash that stands for one person."""
    passed = {(str(path), argument) for path, tree in sources() for argument in advisory_arguments(tree)}
    assert passed
    strangers = {
        (path, argument)
        for path, argument in passed
        if "AdvisoryLock." not in argument and argument != "$1" and not argument.startswith("func.hashtextextended(")
    }
    assert strangers == set()
    for path, _ in {(path, argument) for path, argument in passed if argument == "$1"}:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert len(re.findall(r"advisory_\w*lock\(\$1\)\", AdvisoryLock\.", text)) == text.count("lock($1)"), path


def test_the_lock_of_the_rollups_is_the_migration_s() -> None:
    assert importlib.import_module("db.migrations.versions.0007_tallies").LOCK == AdvisoryLock.ROLLUPS
