"""The catalog that a policy is compiled against: resources with classified fields, attributes for row conditions, claims of an appointment.

Types only; `db.resources.catalog` fills them from the tables.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

# Field classes: each readable column declares exactly one. The label is what a lawyer reads in the grant sheet.
FIELD_CLASSES: dict[str, str] = {
    "public": "公开信息",
    "status": "办理状况",
    "narrative": "案情",
    "record": "调解笔录",
    "note": "工作记录内容",
    "name": "姓名",
    "contact": "联系电话",
    "address": "住址",
    "identity": "证件号码",
    "sensitive": "敏感情况",
    "money": "金额",
    "terms": "协议条款",
    "reference": "外部单号",
    "reply": "答复内容",
    "staff": "工作电话",
    "account": "账号与任职",
    "audit": "审计信息",
    "policy": "访问策略",
}

# How a field looks where `~class` is granted; a field without a mask is hidden where only `~class` is granted. `stored`: the column holds
# nothing but the masked form, so even `class` shows no more than that.
MASKS = ("name", "phone", "address", "stored")

# text: a code or name; key: the identifier of a row; set: several keys.
Kind = Literal["text", "key", "boolean", "set"]
# The forms in which a field shows, where it shows at all.
Form = Literal["clear", "masked"]


@dataclass(frozen=True)
class Field:
    """A readable field of a resource: `field_class` decides who reads it, `mask` (one of MASKS) is the form that `~class` shows."""

    name: str
    field_class: str
    mask: str | None = None
    label: str = ""


@dataclass(frozen=True)
class Attribute:
    """A property of a row that a condition may use as `r.obj.…`. One of kind `set` stands on the right of `in`."""

    name: str
    kind: Kind
    label: str = ""


@dataclass(frozen=True)
class Claim:
    """A property of an appointment that a condition may use as `r.sub.…`."""

    name: str
    kind: Kind
    label: str = ""


@dataclass(frozen=True)
class Resource:
    """A kind of object: its readable fields, its attributes and the actions that a rule may grant on it."""

    name: str
    label: str
    fields: dict[str, Field]
    attributes: dict[str, Attribute]
    actions: frozenset[str] = frozenset({"read"})

    @cached_property
    def classes(self) -> dict[str, frozenset[Form]]:
        """The classes of its fields, each with the forms in which any of its fields can show."""
        classes: dict[str, frozenset[Form]] = {}
        for item in self.fields.values():
            clear: frozenset[Form] = frozenset() if item.mask == "stored" else frozenset({"clear"})
            masked: frozenset[Form] = frozenset() if item.mask is None else frozenset({"masked"})
            classes[item.field_class] = classes.get(item.field_class, frozenset()) | clear | masked
        return classes


@dataclass(frozen=True)
class Catalog:
    """All resources and claims by name. A policy that names anything else is refused."""

    resources: dict[str, Resource]
    claims: dict[str, Claim] = field(default_factory=dict)
