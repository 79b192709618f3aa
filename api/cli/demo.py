"""`python -m api demo`: an invented county on an embedded database, a token for each role, served to this machine.

It decides the order of the steps and what the terminal shows; the county itself is made by `db.county`.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from api.cli.server import CannotServe, listen
from api.cli.server import run as run_server
from api.cli.terminal import exit_on_sigterm
from api.settings import Settings
from db.identity import tokens
from db.identity.appointments import posts_by_name
from db.install import install

if TYPE_CHECKING:
    from db.postgres.address import Address
    from db.postgres.connection import Connection


TOKEN_DAYS = 365
TOKENS_FILE = "tokens.json"

EXAMPLE_QUERIES = (
    ("mediator", "调解员看自己的纠纷", "{ disputes(first: 5) { totalCount nodes { caseNumber title state } } }"),
    ("grid_worker", "网格员看到的电话是掩码", "{ disputes(first: 5) { nodes { title parties { name phone } } } }"),
    ("analyst", "统计员只看数字", "{ statistics { registered accepted agreed resolved followUpRate } }"),
)


@dataclass(frozen=True)
class DemoUser:
    """A person in whose role the service can be tried."""

    role: str
    label: str
    person: str
    place: str
    token: str


def run(settings: Settings, *, port: int | None, scale: int, fresh: bool) -> None:
    """Start the database, make the county, issue the tokens, serve until Ctrl-C, stop. Raises CannotServe, EmbeddedServerError."""
    from db.postgres.embedded.server import EmbeddedServer, erase

    if settings.address is not None:
        raise CannotServe("demo 只用内置数据库：请去掉 SANLIAN_DATABASE_URL；自己的数据库请用 migrate 和 serve。")
    if not settings.loopback:
        # SECURITY: everybody who can see this terminal's output or the home holds every role; nobody else may reach it.
        raise CannotServe("demo 只监听本机：SANLIAN_HOST 应为 127.0.0.1、::1 或 localhost；对外提供服务请用 serve。")
    exit_on_sigterm()
    console = Console(highlight=False)
    home = settings.home.absolute()
    port = port or settings.port
    with listen(settings.host, port) as listener:
        if fresh:
            erase(home)
            (home / TOKENS_FILE).unlink(missing_ok=True)
        with console.status("正在启动内置数据库……"):
            server = EmbeddedServer.start(home)
        with server:
            if server.joined:
                console.print("另一个终端已启动这个数据库，这里共用它；那边停下，它就停下。")
            users = asyncio.run(_prepare_users(server.address, settings, scale, console))
            _print_users(console, users, home, f"http://{settings.host}:{port}")
            run_server(settings, server.address, listener, workers=1)
    console.print("已停止。数据和令牌都留着，下次启动接着用。")


async def _prepare_users(address: "Address", settings: Settings, scale: int, console: Console) -> list[DemoUser]:
    from db.county.demo import demo_connection

    with console.status("正在升级数据库……"):
        installed = await install(address)
    for line in installed.broken:
        console.print(line)
    async with demo_connection(address) as connection:
        await _load_county(connection, settings, scale, console)
        return await _issue_tokens(connection, settings.home.absolute() / TOKENS_FILE)


async def _load_county(connection: "Connection", settings: Settings, scale: int, console: Console) -> None:
    from db.county.demo import extend_and_vacuum
    from db.county.loading import load
    from db.crypto import Cipher

    cipher = Cipher(settings.key())
    with console.status("正在建立演示县……"):
        await load(connection, cipher)
    if not scale:
        return
    columns = TextColumn("正在另造纠纷"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        added = await extend_and_vacuum(
            connection, scale, lambda done, total: bar.update(task, completed=done, total=total)
        )
    console.print(f"另造了 {added} 件纠纷。" if added else f"另造的纠纷已不少于 {scale} 件，没有再造。")


async def _issue_tokens(connection: "Connection", path: Path) -> list[DemoUser]:
    """A token for each role: those of the file as far as they are still valid, new ones for the rest."""
    from db.county.people import PRINCIPALS
    from db.resources.catalog import CATALOG
    from policies.compile import POLICY_PATH, compile_policy

    labels = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), CATALOG).roles
    stored = _read_tokens(path)
    posts = await posts_by_name(connection, PRINCIPALS.values())
    by_role = {post["role"]: post for post in posts if PRINCIPALS.get(post["role"]) == post["person"]}
    users = []
    for role in PRINCIPALS:
        if role not in by_role:  # the appointment has been ended; the others can still be tried
            continue
        row = by_role[role]
        token = stored.get(role, "")
        if not await tokens.is_valid(connection, token):
            issued = await tokens.issue(
                connection,
                person_id=row["person_id"],
                appointment_id=row["appointment_id"],
                label=f"演示：{labels[role]}",
                days=TOKEN_DAYS,
            )
            token = issued.text
        users.append(DemoUser(role, labels[role], row["person"], f"{row['organization']}（{row['area']}）", token))
    issued_tokens = {user.role: user.token for user in users}
    if issued_tokens != stored:
        _write_tokens(path, issued_tokens)
    return users


def _read_tokens(path: Path) -> Mapping[str, str]:
    try:
        read = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return read if isinstance(read, dict) and all(isinstance(token, str) for token in read.values()) else {}


def _write_tokens(path: Path, tokens_by_role: Mapping[str, str]) -> None:
    """Write the file whole or not at all, and never readable by others, not even for a moment."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(tokens_by_role, file, indent=2)
        file.write("\n")
    draft.replace(path)


def _print_users(console: Console, users: list[DemoUser], home: Path, base: str) -> None:
    console.print(Rule("演示县的人员与令牌"))
    # Two columns and no frame, so that a token fits on a line of a terminal of 80.
    table = Table(box=None, pad_edge=False, row_styles=("", "cyan"))
    table.add_column("角色")
    table.add_column("姓名、所在；令牌", overflow="fold")
    for user in users:
        table.add_row(f"{user.label}\n{user.role}", f"{user.person}  {user.place}\n{user.token}")
    console.print(table)
    console.print(f"全部令牌也在 {home / TOKENS_FILE}", soft_wrap=True)
    tokens_by_role = {user.role: user.token for user in users}
    console.print(Rule("可以这样试"))
    for role, title, query in EXAMPLE_QUERIES:
        if role in tokens_by_role:
            body = json.dumps({"query": query}, ensure_ascii=False)
            console.print(Text(f"# {title}", "dim"))
            headers = f"-H 'Content-Type: application/json' -H 'Authorization: Bearer {tokens_by_role[role]}'"
            console.print(Text(f"curl -s {base}/graphql {headers} -d '{body}'"), soft_wrap=True)
    console.print(Rule())
    console.print(f"接口 {base}/graphql ，按 Ctrl-C 停止。")
