"""Node.js is found whether or not the virtual environment is activated."""

import subprocess

import pytest

from tests import node


@pytest.mark.parametrize("path", [None, "/nowhere"])
def test_npm_runs(path: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if path is not None:
        monkeypatch.setenv("PATH", path)
    node.find.cache_clear()
    try:
        found = node.find()
    finally:
        node.find.cache_clear()
    shown = subprocess.run([*found.npm, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert int(shown.stdout.partition(".")[0]) >= 10
