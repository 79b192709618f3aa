"""The rules of the api's house: no SQL stands in it; what it asks a database is a function of db."""

import ast
import re
from pathlib import Path

import pytest

from tests.paths import ROOT

FILES = sorted(path for path in (ROOT / "api").rglob("*.py"))
_SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|WITH \w+ AS|VACUUM|CREATE|ALTER|DROP|TRUNCATE)\b")
_DRIVER = {"fetch", "fetchrow", "fetchval", "executemany", "prepare", "cursor"}


def texts_of(tree: ast.AST) -> list[str]:
    """The string constants of a module but for its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    ]


def driver_calls(tree: ast.AST) -> list[str]:
    """Calls of the methods of a connection or a pool that take SQL; `execute` with a text, for executors of operations have one too."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return [
        call.func.attr
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and (
            call.func.attr in _DRIVER
            or (call.func.attr == "execute" and call.args and isinstance(call.args[0], ast.Constant | ast.JoinedStr))
        )
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_sql_stands_in_the_api(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [text for text in texts_of(tree) if _SQL.search(text)] == []
    assert driver_calls(tree) == []


def test_the_scan_finds_sql_where_there_is_some() -> None:
    tree = ast.parse('"""SELECT as a word."""\nasync def f(c):\n    return await c.fetchrow("SELECT 1")\n')
    assert texts_of(tree) == ["SELECT 1"]
    assert driver_calls(tree) == ["fetchrow"]
    # It does find what is known to be there.
    versions = ast.parse((ROOT / "db" / "policy_admin" / "versions.py").read_text(encoding="utf-8"))
    assert any(_SQL.search(text) for text in texts_of(versions))
