# ruff: noqa: S608 - the statements are made of constants of this file
"""Rows that are there take the canonical form of each identity; an ID number makes a party a person.

Two rows that would become the same keep apart: the first takes the form, the others stay as they are. These, and what is no number of its
kind, are counted for whoever runs the migration.
"""

import logging

import sqlalchemy as sa
from alembic import context, op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

INVISIBLE = (
    r"\u0001-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffc"
)
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043"
BRACKETS = ("[]\u3014\u3015\u3010\u3011\u3016\u3017", "()()()()")
PHONE = "^(1[3-9][0-9]{9}|0(10|2[0-9]|[3-9][0-9]{2})-[0-9]{7,8})$"
CORPORATE = "'COMPANY', 'DEVELOPER', 'OWNERS_COMMITTEE', 'UTILITY'"


def function(name: str, expression: str) -> str:
    return f"CREATE FUNCTION pg_temp.{name}(value text) RETURNS text LANGUAGE sql AS $$ SELECT {expression} $$"


FUNCTIONS = (
    function(
        "fold",
        f"btrim(regexp_replace(translate(normalize(regexp_replace(value, '[{INVISIBLE}]', '', 'g'), NFKC),"
        f" '{DASHES}', '{'-' * len(DASHES)}'), '[[:space:]]+', ' ', 'g'))",
    ),
    function("squeeze", f"translate(replace(pg_temp.fold(value), ' ', ''), '{BRACKETS[0]}', '{BRACKETS[1]}')"),
    function("reference", "upper(pg_temp.squeeze(value))"),
    function("code", "upper(translate(pg_temp.fold(value), ' -', ''))"),
    function(
        "name",
        "translate(regexp_replace(pg_temp.fold(value), ' (?=[^a-zA-Z0-9])|(?<=[^a-zA-Z0-9]) ', '', 'g'),"
        f" '{BRACKETS[0]}()\u2022\u2027\u2219\u22c5\u30fb', '（）（）（）（）（）·····')",
    ),
    # Without separators and the code of the country; then as a mobile number, or as a landline with its area code.
    function(
        "digits",
        r"regexp_replace(regexp_replace(pg_temp.squeeze(value), '[()\-._/·]', '', 'g'), '^([+]|00)86|^86(?=1[3-9][0-9]{9}$)', '')",
    ),
    function(
        "phone",
        "CASE WHEN pg_temp.fold(value) ~ '[^0-9][0-9]{1,2}$' AND pg_temp.digits(value) !~ '^1[3-9][0-9]{9}$' THEN value"
        " WHEN pg_temp.digits(value) ~ '^1[3-9][0-9]{9}$' THEN pg_temp.digits(value)"
        " WHEN pg_temp.digits(value) ~ '^0(10|2[0-9])[0-9]{7,8}$' THEN regexp_replace(pg_temp.digits(value), '^(...)', '\\1-')"
        " WHEN pg_temp.digits(value) ~ '^0[3-9][0-9]{9,10}$' THEN regexp_replace(pg_temp.digits(value), '^(....)', '\\1-') ELSE value END",
    ),
)

# Columns with their function, whether two rows must not have the same, and within what; then what is said of those that remain.
COLUMNS = (
    ("dispute", "external_ref", "reference", "source_organization_id", "重复的来源单号"),
    ("dispute", "case_number", "squeeze", "''", "重复的卷号"),
    ("confirmation", "case_number", "squeeze", None, "法院案号"),
    ("company", "name", "name", "''", "重复的企业名称"),
    ("company", "credit_code", "code", "''", "重复的统一社会信用代码"),
    ("organization", "name", "name", "''", "重复的机构名称"),
    ("party", "credit_code", "code", None, "当事人的统一社会信用代码"),
    ("party", "name", "name", None, "当事人姓名"),
    ("party", "agent_name", "name", None, "代理人姓名"),
    ("person", "name", "name", None, "工作人员姓名"),
    ("party", "phone", "phone", None, "当事人电话"),
    ("person", "phone", "phone", None, "工作电话"),
    ("organization", "phone", "phone", None, "办公电话"),
    ("company", "phone", "phone", None, "企业电话"),
)
TABLES = sorted({table for table, *_ in COLUMNS})


def written(table: str, column: str, canonical: str, within: str | None) -> str:
    """The rows that take the form: those that are alone in it, and the first of several, which has it already where one has."""
    if within is None:
        return (
            f"UPDATE {table} SET {column} = pg_temp.{canonical}({column})"
            f" WHERE {column} <> pg_temp.{canonical}({column}) AND pg_temp.{canonical}({column}) <> ''"
        )
    return (
        "WITH placed AS ("
        f" SELECT id, form, {within} IS NULL OR row_number() OVER (PARTITION BY {within}, form ORDER BY {column} <> form, id) = 1 AS first"
        f" FROM (SELECT *, pg_temp.{canonical}({column}) AS form FROM {table} WHERE {column} IS NOT NULL) AS formed)"
        f" UPDATE {table} SET {column} = form FROM placed"
        f" WHERE placed.id = {table}.id AND first AND {column} <> form AND form <> ''"
    )


def remaining(table: str, column: str, canonical: str) -> str:
    odd = f"{column} !~ '{PHONE}'" if canonical == "phone" else f"{column} <> pg_temp.{canonical}({column})"
    return f"SELECT count(*) FROM {table} WHERE {odd}"


def upgrade() -> None:
    for statement in FUNCTIONS:
        op.execute(sa.text(statement.replace(":", r"\:")))
    op.execute("SET CONSTRAINTS ALL IMMEDIATE")
    # What is archived takes the form too, and nothing that is counted changes.
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for table, column, canonical, within, _ in COLUMNS:
        op.execute(written(table, column, canonical, within))
    op.execute("UPDATE party SET is_natural_person = true WHERE id_number IS NOT NULL AND NOT is_natural_person")
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    if not context.is_offline_mode():
        report()


def report() -> None:
    """What is left for people to look at, in one sentence, for the log and for whoever runs the migration."""
    connection = op.get_bind()
    counts = [
        (label, connection.scalar(sa.text(remaining(table, column, canonical))))
        for table, column, canonical, _, label in COLUMNS
    ]
    companies = f"SELECT count(*) FROM party WHERE id_number IS NOT NULL AND kind IN ({CORPORATE})"
    counts.append(("写有身份号码的单位", connection.scalar(sa.text(companies))))
    left = "、".join(f"{label} {count} 个" for label, count in counts if count)
    if left:
        sentence = f"下列内容无法自动改为统一写法，已原样保留，请人工核对：{left}。"
        logging.getLogger(__name__).warning(sentence)
        context.config.attributes.setdefault("notes", []).append(sentence)
