"""How a column is declared: its SQL type, its field class (once, here) and its Chinese label. It knows no table and no role.

The class decides who reads the column (`policies/policy.csv`); the mask names the form that `~class` shows.
"""

from typing import Any

from sqlalchemy import CheckConstraint, Column, DateTime, MetaData, Numeric, Text, Uuid, text

from db.canonical.forms import CANONICAL
from policies.catalog import FIELD_CLASSES, MASKS

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Money = Numeric(14, 2)
Instant = DateTime(timezone=True)


class Codes(tuple[str, ...]):
    """A closed list of codes. Each is itself, even where another has the same codes: a column's enum is that of its very list.

    Columns that take the same codes on purpose share one list; an input takes the list of the column that it is stored in.
    """

    __slots__ = ()


def column(
    name: str,
    kind: Any,
    field_class: str,
    label: str,
    *more: Any,
    mask: str | None = None,
    form: str | None = None,
    **options: Any,
) -> Column[Any]:
    """A column that a policy may grant, by its class. A text declares its canonical form (`db.canonical.forms.CANONICAL`).

    Raises ValueError for an unknown class, mask or form, and for a text without a form.
    """
    if field_class not in FIELD_CLASSES or (mask is not None and mask not in MASKS):
        raise ValueError(f"{name}: unknown field class or mask")
    if (kind is Text) != (form in CANONICAL):
        raise ValueError(f"{name}: a text declares its form, one of {', '.join(CANONICAL)}; nothing else has one")
    info = {"field_class": field_class, "mask": mask, "form": form}
    options.setdefault("nullable", False)
    return Column(name, kind, *more, info=info, comment=label, **options)


def internal(name: str, kind: Any, label: str, *more: Any, **options: Any) -> Column[Any]:
    """A column that no query can select: keys, links, ciphertext, denormalised sort keys."""
    options.setdefault("nullable", False)
    return Column(name, kind, *more, comment=label, **options)


def identity() -> Column[Any]:
    """The primary key: a time-ordered UUID, made by the database when the caller gives none."""
    return Column("id", Uuid, primary_key=True, server_default=text("uuidv7()"), comment="标识")


def sql_list(codes: tuple[str, ...]) -> str:
    """Codes for the brackets of SQL's IN: `'A', 'B'`. SECURITY: nothing is escaped, so they must be constants of the code."""
    return ", ".join(f"'{code}'" for code in codes)


def one_of(name: str, values: tuple[str, ...]) -> CheckConstraint:
    """A closed list of codes as a check constraint; a null passes where the column allows it."""
    return CheckConstraint(f"{name} IN ({sql_list(values)})", name=f"{name}_code")


def code(name: str, values: Codes, label: str, *more: Any, field_class: str = "public", **options: Any) -> Column[Any]:
    """A coded column; its `info` holds the list of its values, for the enums of the schema. Pair it with `one_of`."""
    result = column(name, Text, field_class, label, *more, form="code", **options)
    result.info["values"] = values
    return result
