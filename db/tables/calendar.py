"""The working-day calendar: days that differ from the week's rule (holidays and make-up days), as data."""

from sqlalchemy import Boolean, Date, PrimaryKeyConstraint, Table, Text

from db.tables.column import internal, metadata

calendar_day = Table(
    "calendar_day",
    metadata,
    internal("day", Date, "日期"),
    internal("works", Boolean, "是否上班"),
    internal("label", Text, "名称，如 春节、补班"),
    PrimaryKeyConstraint("day"),
    comment="工作日历",
)
