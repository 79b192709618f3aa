"""`python -m api migrate`: the database brought to the newest schema, another policy in place of a broken one, the next migration."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from api.cli.terminal import stop

if TYPE_CHECKING:
    from db.install import Installed
    from db.postgres.address import Address

_REPLACE = "请以 python -m api migrate --policy 文件 换一份策略。"


def run(address: "Address", policy: Path | None) -> None:
    """Install the newest schema and the first policy, or `policy` in place of one that cannot be used; end the command where none works."""
    from db.install import install

    installed = asyncio.run(install(address))
    for note in installed.notes:
        typer.echo(note)
    if policy is not None:
        typer.echo(f"已以 {policy} 发布第 {_publish(address, policy)} 版。")
        installed = asyncio.run(install(address))
    typer.echo("数据库已是当前版本。")
    _check(installed)


def _publish(address: "Address", policy: Path) -> int:
    from db.install import BadPolicy, replace_policy

    try:
        return asyncio.run(replace_policy(address, policy.read_bytes().decode()))
    except BadPolicy as error:
        stop(str(error))
    except UnicodeDecodeError:
        stop(f"{policy} 不是 UTF-8 文本。")


def _check(installed: "Installed") -> None:
    if installed.broken:
        stop("\n".join([*installed.broken, _REPLACE]))
    if not installed.in_charge:
        typer.echo(f"照现行策略与任职，无人可以起草并发布新的版本，或无他人可以批准。{_REPLACE}", err=True)


def revise(address: "Address", message: str) -> None:
    """Write the next migration from what db/tables says and the database, migrated first, lacks."""
    from db.install import install
    from db.postgres.migrate import revise as write_migration

    asyncio.run(install(address))
    path = asyncio.run(write_migration(address, message))
    if path is None:
        stop("db/tables 与数据库没有差别，没有写出迁移。")
    typer.echo(f"已写出 {path}，请检查后提交。")
