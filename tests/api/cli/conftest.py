"""The settings of the commands: none but a home of its own for each test, and on demand a database."""

import os
from pathlib import Path

import pytest

from api import settings
from db.postgres.address import Address
from tests.api.cli.terminal import KEY


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(settings.PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SANLIAN_HOME", str(tmp_path / "home"))


@pytest.fixture
def at_database(database: Address, monkeypatch: pytest.MonkeyPatch) -> Address:
    """The commands of this test use a migrated database of the session's server."""
    url = f"postgresql://{database.user}@/{database.database}?host={database.host}"
    assert Address.parse(url) == database
    monkeypatch.setenv("SANLIAN_DATABASE_URL", url)
    monkeypatch.setenv("SANLIAN_SECRET_KEY", KEY)
    return database
