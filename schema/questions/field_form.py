"""How a field shows to somebody: in clear, masked, or not at all."""

from enum import Enum

from schema.node import code_enum


@code_enum("一个字段怎样显示。")
class FieldForm(Enum):
    CLEAR = "明文"
    MASKED = "掩码"
    HIDDEN = "不可见"


def form_of(form: str | None) -> FieldForm | None:
    """How a cell shows; a row, which shows as a whole, and what is not judged have no form."""
    return None if form in (None, "row") else FieldForm(form.upper())
