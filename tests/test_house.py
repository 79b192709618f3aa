"""The bounds of a module and a function, and that no module imports the package it stands in, over all folders."""

import ast
from collections.abc import Iterator
from pathlib import Path

import grimp

from tests.paths import ROOT

FOLDERS = ("api", "schema", "db", "policies", "tests")
MODULE_LINES, FUNCTION_LINES = 400, 60
# What is longer was released before the bounds, and a released migration is never edited. Newer ones keep to them.
RELEASED_MODULES = {"db/migrations/versions/0002_tables.py"}
RELEASED_FUNCTIONS = {
    "db/migrations/versions/0002_tables.py:upgrade",
    "db/migrations/versions/0005_life_of_a_dispute.py:upgrade",
    "db/migrations/versions/0007_tallies.py:upgrade",
    "db/migrations/versions/0009_policy.py:_versions",
}


def modules() -> Iterator[Path]:
    """Every module of the code and the tests."""
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method, with those inside of them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_module_is_long() -> None:
    long = {
        path.relative_to(ROOT).as_posix()
        for path in modules()
        if len(path.read_text(encoding="utf-8").splitlines()) > MODULE_LINES
    }
    assert long == RELEASED_MODULES


def test_no_function_is_long() -> None:
    long = {
        f"{path.relative_to(ROOT).as_posix()}:{function.name}"
        for path in modules()
        for function in functions(ast.parse(path.read_text(encoding="utf-8")))
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES
    }
    assert long == RELEASED_FUNCTIONS


def test_no_module_imports_the_package_it_stands_in() -> None:
    """The circle that import-linter's `acyclic_siblings` does not see: it compares modules beside each other."""
    graph = grimp.build_graph("api", "schema", "db", "policies")
    upward = {
        (module, imported)
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
        if module.startswith(f"{imported}.")
    }
    assert upward == set()
