"""`migrate --revise` in a copy of the checkout: a column is added to a table, and the next migration names it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from db.postgres.address import Address
from tests.api.cli.terminal import KEY
from tests.paths import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The checkout without its tests."""
    for folder in ("api", "schema", "db", "policies"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    return tmp_path


def revise(copy: Path, database: Address, message: str) -> "subprocess.CompletedProcess[str]":
    url = f"postgresql://{database.user}@/{database.database}?host={database.host}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SANLIAN_")}
    return subprocess.run(
        [sys.executable, "-m", "api", "migrate", "--revise", message],
        cwd=copy,
        env={**clean, "SANLIAN_DATABASE_URL": url, "SANLIAN_SECRET_KEY": KEY},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_revise_writes_the_next_migration_from_the_tables(copy: Path, database: Address) -> None:
    versions = copy / "db" / "migrations" / "versions"
    before = sorted(path.name for path in versions.glob("*.py"))
    nothing = revise(copy, database, "nothing")
    assert nothing.returncode == 1, nothing.stderr
    assert "没有差别" in nothing.stderr
    assert sorted(path.name for path in versions.glob("*.py")) == before

    table = copy / "db" / "tables" / "party.py"
    text = table.read_text(encoding="utf-8")
    phone = '    column("name", '
    assert text.count(phone) == 1
    table.write_text(
        text.replace(phone, f'    column("email", Text, "contact", "电子邮箱", nullable=True, form="code"),\n{phone}'),
        encoding="utf-8",
    )
    written = revise(copy, database, "party email")
    assert written.returncode == 0, written.stderr
    (name,) = {path.name for path in versions.glob("*.py")} - set(before)
    last = max(int(one[:4]) for one in before)
    assert name == f"{last + 1:04d}_party_email.py"
    assert name in written.stdout.replace("\n", "")
    migration = (versions / name).read_text(encoding="utf-8")
    assert "op.add_column" in migration
    assert "'email'" in migration
    assert f"down_revision = '{last:04d}'" in migration
    # It applies: a second difference is none.
    again = revise(copy, database, "again")
    assert again.returncode == 1, again.stdout + again.stderr
    assert "没有差别" in again.stderr
