"""The command line: `python -m api demo | serve | migrate | daily | schema | policy | token`.

Every command imports what it needs when it runs, so that help and errors come at once.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.failures import failure_of
from api.cli.help import RootGroup
from api.cli.policy import policy_app
from api.cli.terminal import ask, database, settings_or_stop, stop
from api.cli.tokens import token_app

if TYPE_CHECKING:
    from db.postgres.connection import Connection

_OPTIONS: dict[str, Any] = {"no_args_is_help": True, "add_completion": False, "pretty_exceptions_enable": False}
app = typer.Typer(cls=RootGroup, help="三联：县域物业纠纷调解的 GraphQL 服务。", **_OPTIONS)
schema_app = typer.Typer(help="接口契约。", **_OPTIONS)
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

    run(settings_or_stop(), port=port, scale=scale, fresh=fresh)


@app.command()
def serve() -> None:
    """提供服务，用法由 SANLIAN_ 设置决定。用自己的数据库时先执行 migrate。"""
    from api.cli.server import serve as serve_settings

    serve_settings(settings_or_stop())


@app.command()
def migrate(
    policy: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="现行策略已不能用时，以此文件代替它；还能用的不予代替。"),
    ] = None,
    revise: Annotated[
        str | None,
        typer.Option(metavar="说明", help="（开发用）先升级数据库，再按 db/tables 与它的差别写出下一个迁移文件。"),
    ] = None,
) -> None:
    """把数据库升级到当前版本；没有该库则先建库，没有策略则发布初始策略，并检查现行策略。可以重复执行。"""
    from api.cli.migrate import revise as write_revision
    from api.cli.migrate import run

    with database(settings_or_stop()) as address:
        if revise is None:
            run(address, policy)
        else:
            write_revision(address, revise)


@app.command()
def daily() -> None:
    """每日巡检：按预警规则产生到期的预警（期满、逾期、多发等），并归并统计数。可以重复执行，宜由计划任务每日清晨执行。"""
    from datetime import UTC, datetime

    from db.calendar import day_of, load_calendar
    from db.commands.daily_alerts import open_due_alerts
    from db.write.rollups import compact

    async def work(connection: "Connection") -> tuple[int, list[int]]:
        now = datetime.now(UTC)
        await compact(connection)
        calendar = await load_calendar(connection)
        return await open_due_alerts(connection, now), calendar.unnoticed_years(day_of(now))

    opened, unnoticed = ask(work)
    typer.echo(f"新产生预警 {opened} 条。")
    for year in unnoticed:
        typer.echo(
            f"注意：{year} 年的放假安排尚未录入工作日历，落在该年的期限只按周末与固定节日顺延，可能偏早；"
            "请在国务院办公厅发布通知后录入（表 calendar_day），并核对已计算的期限。",
            err=True,
        )


@schema_app.command("print")
def schema_print() -> None:
    """打印 GraphQL 契约（SDL）。"""
    from schema.sdl import print_sdl

    typer.echo(print_sdl(), nl=False)


@schema_app.command("commands")
def schema_commands() -> None:
    """打印全部办理事项：变更名、用途、可办的状态、前提和最小的示例输入。"""
    from schema.command_list import print_commands

    typer.echo(print_commands(), nl=False)


def main() -> None:
    """Run a command. An error that the person at the terminal can mend is one line, without a traceback."""
    try:
        app(prog_name="python -m api")
    except Exception as error:
        failure = failure_of(error)
        if failure is None:
            raise
        stop(*failure)


if __name__ == "__main__":
    main()
