"""`python -m api token list | issue | revoke`."""

from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.terminal import ask, stop

if TYPE_CHECKING:
    from db.postgres.connection import Connection

token_app = typer.Typer(help="访问令牌。", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


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

    async def issue(connection: "Connection") -> tokens.IssuedToken:
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
