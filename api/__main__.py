"""The command line: `python -m api demo | serve | migrate | daily | schema | policy | token`.

Every command imports what it needs when it runs, so that help and mistakes come at once.
"""

import asyncio
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from api.cli.policy import policy_app
from api.cli.terminal import BAD_SETTINGS, FAILED, ask, database, orderly, settings_or_stop, stop

if TYPE_CHECKING:
    from starlette.applications import Starlette

DATABASE_SETTING = "SANLIAN_DATABASE_URL"


class _Root(TyperGroup):
    """The list of commands, followed by the list of settings."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        super().format_help(ctx, formatter)
        from rich import box
        from rich.console import Console
        from rich.table import Table

        from api.settings import describe

        table = Table(box=box.SIMPLE, title="设置（环境变量）", title_justify="left", title_style="bold")
        for heading in ("名称", "默认", "含义"):
            table.add_column(heading, overflow="fold")
        for row in describe():
            table.add_row(*row)
        Console().print(table)


_OPTIONS: dict[str, Any] = {"no_args_is_help": True, "add_completion": False, "pretty_exceptions_enable": False}
app = typer.Typer(cls=_Root, help="三联：县域物业纠纷调解的 GraphQL 服务。", **_OPTIONS)
schema_app = typer.Typer(help="接口契约。", **_OPTIONS)
token_app = typer.Typer(help="访问令牌。", **_OPTIONS)
app.add_typer(schema_app, name="schema")
app.add_typer(policy_app, name="policy")
app.add_typer(token_app, name="token")


@app.command()
def demo(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="监听的端口；不写则用 SANLIAN_PORT。")] = None,
    scale: Annotated[int, typer.Option(min=0, max=10_000_000, help="另造这么多件虚构纠纷，以前造的算在内。")] = 0,
    fresh: Annotated[bool, typer.Option("--fresh", help="先删去以前的演示数据和令牌。")] = False,
) -> None:
    """在本机试用：内置数据库、一个虚构的县、每个角色一枚令牌。只监听本机。"""
    from api.cli.demo import run

    orderly()
    run(settings_or_stop(), port=port, scale=scale, fresh=fresh)


@app.command()
def serve() -> None:
    """提供服务，用法由 SANLIAN_ 设置决定。用自己的数据库时先执行 migrate。"""
    from api.cli.server import listen, serve_forever
    from db.install import install

    settings = settings_or_stop()
    settings.key()  # made here if need be, before several processes want it
    orderly()
    with listen(settings.host, settings.port) as listener, database(settings, brief=False) as address:
        if settings.address is None:
            for line in asyncio.run(install(address)).broken:
                typer.echo(line, err=True)
        serve_forever("api.__main__:create" if settings.workers > 1 else create(), settings, listener)


def create() -> "Starlette":
    """The application of one process of `serve`; also for an ASGI server of your own choice."""
    from api.app import build

    settings = settings_or_stop()
    if settings.address is not None:
        return build(settings, settings.address)
    from db.postgres.embedded.server import EmbeddedServer

    return build(settings, EmbeddedServer.start(settings.home).address)


@app.command()
def migrate(
    policy: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="现行策略已不能用时，以此文件代替它；还能用的不予代替。"),
    ] = None,
) -> None:
    """把数据库升级到当前版本；没有该库则先建库，没有策略则发布初始策略，并检查现行策略。可以重复执行。"""
    from db.install import BadPolicy, install, replace_policy

    with database(settings_or_stop()) as address:
        found = asyncio.run(install(address))
        if policy is not None:
            try:
                number = asyncio.run(replace_policy(address, policy.read_bytes().decode()))
            except BadPolicy as error:
                stop(str(error))
            except UnicodeDecodeError:
                stop(f"{policy} 不是 UTF-8 文本。")
            typer.echo(f"已以 {policy} 发布第 {number} 版。")
            found = asyncio.run(install(address))
    typer.echo("数据库已是当前版本。")
    another = "请以 python -m api migrate --policy 文件 换一份策略。"
    if found.broken:
        stop("\n".join([*found.broken, another]))
    if not found.in_charge:
        typer.echo(f"照现行策略与任职，无人可以起草并发布新的版本，或无他人可以批准。{another}", err=True)


@app.command()
def daily() -> None:
    """每日巡检：按预警规则产生到期的预警（期满、逾期、多发等），并归并统计数。可以重复执行，宜由计划任务每日清晨执行。"""
    from datetime import UTC, datetime

    from db.commands.daily_alerts import look
    from db.write.rollups import compact

    async def work(connection: Any) -> int:
        await compact(connection)
        return await look(connection, datetime.now(UTC))

    opened = ask(work)
    typer.echo(f"新产生预警 {opened} 条。")


@schema_app.command("print")
def schema_print() -> None:
    """打印 GraphQL 契约（SDL）。"""
    from schema.sdl import print_sdl

    typer.echo(print_sdl(), nl=False)


@token_app.command("list")
def token_list() -> None:
    """列出全部令牌（只有前缀，没有令牌本身）。"""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from db.identity import tokens

    rows = ask(tokens.list_all)
    table = Table(box=box.SIMPLE)
    for heading in ("前缀", "持有人", "限于角色", "用途", "签发", "到期", "状态"):
        table.add_column(heading, no_wrap=heading in ("前缀", "签发", "到期"), overflow="fold")
    for row in rows:
        state = "已撤销" if row.revoked_at else "有效" if row.valid else "已到期"
        table.add_row(
            row.prefix,
            row.person,
            row.role or "全部",
            row.label,
            f"{row.created_at:%Y-%m-%d}",
            f"{row.expires_at:%Y-%m-%d}",
            state,
        )
    Console().print(table)


@token_app.command("issue")
def token_issue(
    person: Annotated[str, typer.Option(help="持有人姓名。")],
    days: Annotated[int, typer.Option(min=1, max=366, help="有效天数。")] = 90,
    label: Annotated[str, typer.Option(help="用途说明。")] = "命令行签发",
) -> None:
    """签发令牌，代表此人的全部现任职务。令牌只显示这一次。"""
    from db.identity import tokens
    from db.identity.appointments import find_people

    async def issue(connection: Any) -> tokens.IssuedToken:
        people = await find_people(connection, person)
        if len(people) != 1:
            stop(f"没有名为 {person} 的人员。" if not people else f"有 {len(people)} 人名为 {person}，无法确定是谁。")
        return await tokens.issue(connection, person_id=people[0], label=label, days=days)

    issued = ask(issue)
    typer.echo(issued.text)
    typer.echo(
        f"到期：{issued.expires_at:%Y-%m-%d %H:%M} UTC；撤销：python -m api token revoke {issued.prefix}", err=True
    )


@token_app.command("revoke")
def token_revoke(prefix: Annotated[str, typer.Argument(help="令牌的前缀，即 sl_ 后的 8 个字符。")]) -> None:
    """撤销令牌；此后开始的请求一律不认。"""
    from db.identity import tokens

    ended = ask(lambda connection: tokens.revoke(connection, prefix))
    if ended is None:
        stop(f"没有前缀为 {prefix} 的令牌。")
    typer.echo(f"已撤销（{ended:%Y-%m-%d %H:%M:%S} UTC）。")


def main() -> None:
    """Run a command. What the person at the terminal can mend is told in one line, without a traceback."""
    try:
        app(prog_name="python -m api")
    except Exception as error:
        told = _tell(error)
        if told is None:
            raise
        stop(*told)


def _tell(error: Exception) -> tuple[str, int] | None:
    from api.cli.server import CannotServe
    from api.settings import BadSettings
    from db.postgres.embedded.placement import EmbeddedServerError
    from db.postgres.migrate import LockTimeout

    if isinstance(error, BadSettings | CannotServe):
        return str(error), BAD_SETTINGS
    if isinstance(error, EmbeddedServerError | LockTimeout):
        return str(error), FAILED
    import asyncpg

    refusals = (
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.CannotConnectNowError,
        asyncpg.TooManyConnectionsError,
    )
    if isinstance(error, (*refusals, ConnectionError, TimeoutError, socket.gaierror)):
        # The words of the server or of the system; neither repeats the password.
        return f"连不上数据库：{str(error) or type(error).__name__}。请检查 {DATABASE_SETTING}。", FAILED
    return None


if __name__ == "__main__":
    main()
