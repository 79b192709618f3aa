"""The policy as a table: what is granted after inheritance and denials, in Chinese, and nothing else."""

from db.resources.catalog import CATALOG as SHIPPED_CATALOG
from policies.compile import POLICY_PATH, compile_policy
from policies.grant import Access, Appointment, cells_of
from policies.matrix import matrix, print_matrix
from policies.predicate import Never, unbound
from tests.policies.small import policy

TEXT = (
    "p2, here, r.obj.town == r.sub.area, 本镇\n"
    "p2, done, r.obj.state == 'DONE', 已办结\n"
    "g, chief, clerk\n"
    "p, clerk, Case, read, here, public|~contact, allow\n"
    "p, clerk, Case, read, here and r.obj.open, contact, allow\n"
    "p, chief, Case, read, done, contact, deny\n"
    "p, clerk, Case, reveal, here, name, allow\n"
    "p, guest, Case, read, True, public, allow\n"
    "p, guest, Case, read, True, *, deny\n"
)


def test_entries_have_their_condition_and_the_lines_of_their_rules() -> None:
    entries = [(one.role, one.action, one.field_class, one.form, one.words, one.lines) for one in matrix(policy(TEXT))]
    assert entries == [
        ("clerk", "read", None, "row", "本镇", (7, 8)),
        ("clerk", "read", "public", "clear", "本镇", (7,)),
        ("clerk", "read", "contact", "clear", "本镇 且 未办结", (8,)),
        ("clerk", "read", "contact", "masked", "本镇", (7, 8)),
        ("clerk", "reveal", None, "row", "本镇", (10,)),
        ("clerk", "reveal", "name", "clear", "本镇", (10,)),
        ("chief", "read", None, "row", "本镇", (7, 8)),
        ("chief", "read", "public", "clear", "本镇", (7,)),
        ("chief", "read", "contact", "clear", "本镇 且 未办结 且 非 已办结", (8, 9)),
        ("chief", "read", "contact", "masked", "本镇 且 非 已办结", (7, 8, 9)),
        ("chief", "reveal", None, "row", "本镇", (10,)),
        ("chief", "reveal", "name", "clear", "本镇", (10,)),
    ]


def test_the_table_as_text() -> None:
    lines = print_matrix(policy(TEXT), ["chief"]).splitlines()
    assert lines[0].split("\t") == ["角色", "对象", "动作", "字段类别", "形式", "范围", "规则所在行"]
    assert lines[4].split("\t") == ["主任", "案件", "查看", "联系电话", "掩码", "本镇 且 非 已办结", "7、8、9"]
    assert len(lines) == 7
    assert all(line.count("\t") == 6 for line in lines)


def test_the_table_is_what_a_holder_of_the_role_is_granted() -> None:
    compiled = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), SHIPPED_CATALOG)
    for role in compiled.roles:
        access = Access(compiled, [Appointment(role, {})])
        entries = {(one.resource, one.action, one.field_class, one.form): one.rows for one in matrix(compiled, [role])}
        for resource in SHIPPED_CATALOG.resources.values():
            for action in resource.actions:
                grant = access.grant(resource.name, action)
                for cell, field_class, form in cells_of(resource, action):
                    rows = unbound(grant.cell(cell))
                    key = (resource.name, action, field_class, form)
                    if key in entries:
                        assert entries.pop(key) == rows
                    else:
                        assert rows == Never() or (form == "masked" and rows == unbound(grant.cell(cell[1:])))
        assert not entries
