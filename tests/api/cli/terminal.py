"""Calls commands in this process or in one of their own, and prepares the database that they use."""

import base64
import os
import subprocess
import sys
from uuid import UUID

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from api.__main__ import app
from api.__main__ import main as run_main
from db.postgres.address import Address
from tests.paths import ROOT

KEY = base64.b64encode(bytes(range(32))).decode()


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def call_process(*arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "api", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **more}, capture_output=True, text=True, timeout=60, check=False
    )


async def connect(address: Address) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(**address.connect_arguments())


async def add_person(connection: "asyncpg.Connection[asyncpg.Record]", name: str) -> UUID:
    person: UUID = await connection.fetchval("INSERT INTO person (name) VALUES ($1) RETURNING id", name)
    return person


def end_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int | str | None:
    monkeypatch.setattr(sys, "argv", ["api", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_main()
    return ended.value.code
