"""The 61 server audits of graphql-http, the reference for GraphQL over HTTP, against the served endpoint."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from tests import node
from tests.server import Served

_AUDITS = Path(__file__).parent / "audits"
_COUNT = 61


def _give_up(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def audits(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Node.js, and a folder with the audits installed exactly as locked."""
    folder = tmp_path_factory.mktemp("audits")
    for name in ("package.json", "package-lock.json", "audit.mjs"):
        shutil.copy(_AUDITS / name, folder)
    try:
        return node.install_locked(folder).program, folder
    except node.NodeMissing as missing:
        _give_up(str(missing))


def test_every_audit_is_ok(audits: tuple[str, Path], served_app: Served) -> None:
    program, folder = audits
    done = subprocess.run(
        [program, "audit.mjs", served_app.url + "/graphql"],
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
