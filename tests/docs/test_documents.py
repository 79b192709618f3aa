"""The documentation names what is there, all of it: paths, links, folders, settings, codes, limits, classes, root fields, commands."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib import import_module
from pathlib import Path

import pytest
from typer.main import get_command

from api.__main__ import app
from api.http.limits import DEFAULT
from api.settings import PREFIX, Settings
from db.county.people import PRINCIPALS
from db.resources.catalog import CATALOG
from policies.catalog import FIELD_CLASSES
from policies.compile import POLICY_PATH, compile_policy
from schema.mutation import COMMAND_OF
from schema.planning import cost
from schema.refusal import Code
from tests.docs.documents import CHINESE, DOCUMENTS, ENGLISH, Table, blocks, contract, links, read, spans, tables
from tests.paths import ROOT

# Where a name in backquotes is a path: it begins with a folder of the checkout, or is a file of its root.
FOLDERS = ("policies/", "db/", "schema/", "api/", "tests/", ".ci/")
LONGEST_ROOT = 160


def first_names(table: Table) -> list[str]:
    """The names in backquotes in the first column."""
    return [name for row in table.rows for name in re.findall(r"`([^`]+)`", row[0])]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_paths_and_links_exist(document: str) -> None:
    for target in links(document):
        if "://" not in target:
            assert (ROOT / document).parent.joinpath(target.partition("#")[0]).exists(), (document, target)
    for span in spans(document):
        if span.startswith(FOLDERS) and "<" not in span and " " not in span:
            assert list(ROOT.glob(span.partition(":")[0])), (document, span)
        elif re.fullmatch(r"\w+\.(py|md|csv|yaml|graphql)", span):
            assert list(ROOT.glob(span)) or any(list((ROOT / top).rglob(span)) for top in FOLDERS), (document, span)
        elif named := re.fullmatch(r"([a-z_]+(?:\.[a-z_]+)+):(\w+)", span):
            assert hasattr(import_module(named.group(1)), named.group(2)), (document, span)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_modules_that_are_run_exist(document: str) -> None:
    for module in re.findall(r"python -m (tests[\w.]*)", read(document)):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


@pytest.mark.parametrize("document", DOCUMENTS)
def test_functions_that_are_named_exist(document: str) -> None:
    """Those that are named with their brackets, as `part(...)`."""
    source = "\n".join(
        path.read_text(encoding="utf-8") for top in ("db", "schema") for path in (ROOT / top).rglob("*.py")
    )
    for span in spans(document):
        if called := re.fullmatch(r"(?:work\.)?([a-z_]+)\([^)]*\)", span):
            assert f"def {called.group(1)}(" in source, (document, span)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_mutations_and_commands_that_are_named_exist(document: str) -> None:
    """`python -m api …` names a command, and a name like `disputeAccept` a field of the schema."""
    groups = {name: getattr(one, "commands", {}) for name, one in get_command(app).commands.items()}  # type: ignore[attr-defined]
    for first, second in re.findall(r"python -m api ([a-z]+)(?: ([a-z]+))?", read(document)):
        assert first in groups, first
        assert not groups[first] or second in groups[first], second
    known = {name for kind in contract().type_map.values() for name in getattr(kind, "fields", {})}
    arguments = {name for one in contract().query_type.fields.values() for name in one.args}  # type: ignore[union-attr]
    for span in spans(document):
        if re.fullmatch(r"[a-z]+[A-Z]\w+", span) and document != "tests/README.md":
            assert span in known | arguments | {"nounVerb"} | set(CATALOG.resources), (document, span)


def test_the_readmes_are_the_same_in_both_languages() -> None:
    """The same blocks but for comments and words of the reader's language, the same links, paths and tables."""
    both = [
        [(one.language, re.sub(r"\s+#.*", "", one.text), one.mark) for one in blocks(name)]
        for name in (ENGLISH, CHINESE)
    ]
    assert both[0] == both[1]
    ours = [set(links(name)) - {ENGLISH, CHINESE} for name in (ENGLISH, CHINESE)]
    assert ours[0] == ours[1]
    for name, table in tables(ENGLISH).items():
        other = tables(CHINESE)[name]
        assert (len(table.rows), len(table.header)) == (len(other.rows), len(other.header))
    assert first_names(tables(ENGLISH)["folders"]) == first_names(tables(CHINESE)["folders"])
    for name in (ENGLISH, CHINESE):
        assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= LONGEST_ROOT


def test_the_map_shows_every_folder_of_code() -> None:
    """The four folders and the folders in them, but for those inside of these; and the tests."""
    expected = {"tests/"}
    for folder in ("policies", "db", "schema", "api"):
        expected |= {f"{folder}/"} | {f"{folder}/{one.name}/" for one in (ROOT / folder).iterdir() if _holds_code(one)}
    assert set(first_names(tables(ENGLISH)["folders"])) == expected


def _holds_code(path: Path) -> bool:
    return path.is_dir() and any(path.glob("*.py"))


def test_the_settings_are_those_of_the_service() -> None:
    rows = {row[0].strip("`"): row[1].strip("`") for row in tables("api/README.md")["settings"].rows}
    assert rows.keys() == {PREFIX + name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        default = field.default
        if default is not None:
            assert rows[PREFIX + name.upper()] == (str(default).lower() if isinstance(default, bool) else str(default))


def test_the_limits_are_those_of_the_service() -> None:
    """Those of no setting, with their numbers."""
    printed: dict[str, int] = {}
    for row in tables("schema/README.md")["limits"].rows:
        printed |= zip(re.findall(r"`(max_\w+)`", row[0]), map(int, row[1].split()), strict=True)
    assert printed == {name: value for name, value in asdict(DEFAULT).items() if name not in Settings.model_fields}


def test_the_costs_are_those_of_the_planner() -> None:
    rows = tables("schema/README.md")["cost"].rows
    printed = {name: int(row[1]) for row in rows for name in re.findall(r"`([A-Z_]+)`", row[0])}
    actual = {name: value for name, value in vars(cost).items() if name.endswith("_ROWS")}
    assert printed == actual


def test_the_root_fields_are_those_of_the_schema() -> None:
    query = contract().query_type
    assert query is not None
    assert sorted(first_names(tables("schema/README.md")["roots"])) == sorted(query.fields)


def test_the_error_codes_are_those_of_the_service() -> None:
    assert sorted(first_names(tables("schema/README.md")["codes"])) == sorted(Code)


def test_the_actions_with_a_mutation_of_another_name_are_those_of_the_commands() -> None:
    printed: dict[tuple[str, str], str] = {}
    for cells in tables("schema/README.md")["actions"].rows:
        *actions, resource = re.findall(r"`(\w+)`", cells[0])
        mutations = re.findall(r"`(\w+)`", cells[1])
        printed |= {(resource, action): mutation for action, mutation in zip(actions, mutations, strict=True)}
    names = {(command.resource, command.action): name for name, command in COMMAND_OF.items()}
    assert printed == {key: name for key, name in names.items() if name.lower() != "".join(key).lower()}


# -- the codes of user errors, as the source raises them

CODE = re.compile(r"[A-Z][A-Z_]+")
# What takes a field and a code: the error itself, the collector of a command, a guard.
RAISING = ("UserError", "error", "Guard")


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _literals(value: ast.expr) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(text)) if CODE.fullmatch(text):
            yield text
        case ast.IfExp(body=body, orelse=other):
            yield from _literals(body)
            yield from _literals(other)


def _raised() -> set[str]:
    """The codes of all calls that take one; a function that passes its own parameter on takes one in its turn."""
    trees = [
        ast.parse(path.read_text(encoding="utf-8")) for top in ("db", "schema") for path in (ROOT / top).rglob("*.py")
    ]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    positions = dict.fromkeys(RAISING, 1) | {"CaseRule": 0}
    for tree in trees:
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            parameters = [one.arg for one in function.args.args if one.arg != "self"]
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                passed = call.args[1] if _name(call.func) in RAISING and len(call.args) > 1 else None
                if isinstance(passed, ast.Name) and passed.id in parameters and function.name not in RAISING:
                    positions[function.name] = parameters.index(passed.id)
    found: set[str] = set()
    for call in calls:
        place = positions.get(_name(call.func))
        if place is not None and len(call.args) > place:
            found |= set(_literals(call.args[place]))
    return found


def test_the_codes_of_user_errors_are_those_that_the_commands_raise() -> None:
    printed = first_names(tables("schema/README.md")["user_errors"])
    assert len(printed) == len(set(printed))
    assert set(printed) == _raised()


# -- the policy

POLICY = "policies/README.md"


def test_the_classes_and_claims_are_those_of_the_catalog() -> None:
    assert [row[0] for row in tables(POLICY)["classes"].rows] == [
        f"`{name}` {label}" for name, label in FIELD_CLASSES.items()
    ]
    assert first_names(tables(POLICY)["claims"]) == list(CATALOG.claims)


def test_the_lines_of_the_language_compile() -> None:
    """The printed fragment stands at the end of the shipped policy; every kind of line is explained."""
    (fragment,) = [block.text for block in blocks(POLICY) if block.mark.get("policy") == "fragment"]
    shipped = POLICY_PATH.read_text(encoding="utf-8")
    policy = compile_policy(f"{shipped}\n{fragment}", CATALOG)
    assert len(policy.rules) == len(compile_policy(shipped, CATALOG).rules) + 5
    kinds = {line.partition(",")[0] for line in fragment.splitlines()}
    assert kinds == set(first_names(tables(POLICY)["lines"]))


def test_the_people_of_the_examples_are_of_the_demo_county() -> None:
    texts = [read(name) for name in DOCUMENTS]
    people = {name for text in texts for name in re.findall(r"--(?:as|person) ([^\x00-\x7f]+)", text)}
    assert people - {"姓名"} <= set(PRINCIPALS.values())


# -- the tests


def test_the_tables_of_tests_show_all_folders_and_laws() -> None:
    document = "tests/README.md"
    folders = {f"tests/{one.name}/" for one in (ROOT / "tests").iterdir() if one.is_dir() and one.name != "__pycache__"}
    assert set(first_names(tables(document)["tests"])) == folders
    assert set(first_names(tables(document)["laws"])) == {
        one.name for one in (ROOT / "tests" / "laws").glob("test_*.py")
    }


def test_the_options_of_the_benchmark_exist() -> None:
    command = [sys.executable, "-m", "tests.bench", "--help"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True).stdout
    for option in re.findall(r"(?<=[` ])--[a-z]+", read("tests/README.md").partition("## Benchmark")[2]):
        assert option in told, option
