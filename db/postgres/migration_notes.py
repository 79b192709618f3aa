"""What a migration could not decide about the rows that are there: kept, counted, and told in a sentence to whoever runs it."""

import logging

from alembic import context, op
from sqlalchemy import text


def tell(sentence: str, counts: dict[str, str]) -> None:
    """Note a sentence (Chinese, without its end) with what is left: by a text with `{}` for the number, the statement that counts it.

    Nothing is noted where every number is 0, and where the migrations are only printed.
    """
    if context.is_offline_mode():
        return
    connection = op.get_bind()
    found = [(label, connection.scalar(text(statement.replace(":", r"\:")))) for label, statement in counts.items()]
    left = "、".join(label.format(number) for label, number in found if number)
    if left:
        note = f"{sentence}：{left}。"
        logging.getLogger(__name__).warning(note)
        context.config.attributes.setdefault("notes", []).append(note)
