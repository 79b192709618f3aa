"""The help of the command line: its commands, followed by every setting."""

from typing import Any

from typer.core import TyperGroup


class RootGroup(TyperGroup):
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
