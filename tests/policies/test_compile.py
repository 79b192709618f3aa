"""The compiler, from text to policy: roles, names, inheritance and rules; every mistake at once, each with its line and column."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from policies import compile as compiler
from policies.compile import MAX_INHERITANCE, compile_policy
from policies.grant import Access, Grant
from policies.policy import Policy, PolicyRefused
from tests.policies.small import CATALOG, HEAD, READ, only_problem, places, policy, problems


@pytest.mark.parametrize(
    "effect", ["Deny", "DENY", "dney", "deny.", "denied", "allow deny", "deny\u3000", "ｄeny", "", "Allow", "*"]
)
def test_an_effect_that_is_not_written_exactly_is_refused_because_it_denies_nothing(effect: str) -> None:
    ((line, _),) = problems(f"{READ}p, clerk, Case, read, True, public, {effect}\n")
    assert line == 5


def test_a_duplicate_role_is_refused() -> None:
    assert problems("p3, clerk, 又一个\n" + READ) == [(4, "角色 clerk 重复声明")]


@pytest.mark.parametrize(
    ("edges", "line"),
    [
        ("g, clerk, clerk\n", 4),
        ("g, clerk, chief\ng, chief, clerk\n", 5),
        ("g, clerk, chief\ng, chief, guest\ng, guest, clerk\n", 6),
    ],
)
def test_a_role_cycle_is_refused(edges: str, line: int) -> None:
    assert [number for number, message in problems(edges + READ) if "成环" in message] == [line]


def test_a_cycle_longer_than_casbin_follows_is_refused_as_too_deep() -> None:
    steps = MAX_INHERITANCE + 4
    roles = "".join(f"p3, n{number}, 角色\n" for number in range(steps))
    edges = "".join(f"g, n{number}, n{(number + 1) % steps}\n" for number in range(steps))
    assert {"超过 9 层" in message for _, message in problems(roles + edges + READ)} == {True}


def test_inheritance_of_unknown_roles_is_refused() -> None:
    assert problems("g, clerk, boss\n" + READ) == [(4, "未声明的角色 'boss'，请先用 p3 行声明")]
    assert problems("g, boss, clerk\n" + READ) == [(4, "未声明的角色 'boss'，请先用 p3 行声明")]
    assert problems("g, clerk, chief\ng, clerk, chief\n" + READ) == [(5, "角色继承重复")]


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("p, boss, Case, read, True, public, allow", "未声明的角色 'boss'"),
        ("p, clerk, Thing, read, True, public, allow", "未知的资源 'Thing'"),
        ("p, clerk, case, read, True, public, allow", "未知的资源 'case'"),
        ("p, clerk, Case, destroy, True, -, allow", "Case 没有动作 'destroy'"),
        ("p, clerk, Case, Read, True, public, allow", "Case 没有动作 'Read'"),
        ("p, clerk, Case, *, True, public, allow", "Case 没有动作 '*'"),
        ("p, clerk, Place, close, True, -, allow", "Place 没有动作 'close'"),
        ("p, clerk, Case, read, r.obj.nothing, public, allow", "Case 没有可用于条件的属性 nothing"),
        ("p, clerk, Place, read, r.obj.open, public, allow", "Place 没有可用于条件的属性 open"),
        ("p, clerk, Case, read, r.obj.town == r.sub.office, public, allow", "任职没有属性 office"),
        ("p, clerk, Case, read, nearby, public, allow", "未定义的条件名 nearby"),
        ("p, clerk, Case, read, True, secret, allow", "未知的字段类别 'secret'"),
        ("p, clerk, Case, read, True, Public, allow", "未知的字段类别 'Public'"),
        ("p, clerk, Case, read, True, public|, allow", "未知的字段类别 ''"),
        ("p, clerk, Case, read, True, public |name, allow", "未知的字段类别 'public '"),
        ("p, clerk, Case, read, True, ~~name, allow", "未知的字段类别 '~~name'"),
        ("p, clerk, Case, read, True, public|*, allow", "未知的字段类别 '*'"),
        ("p, clerk, Case, read, True, title, allow", "未知的字段类别 'title'"),
        ("p, clerk, Case, read, True, money, allow", "Case 没有类别为 money 的字段"),
        ("p, clerk, Place, read, True, name, allow", "Place 没有类别为 name 的字段"),
        ("p, clerk, Case, read, True, name|name, allow", "字段类别 name 重复"),
        ("p, clerk, Case, read, True, name|~name, allow", "字段类别 name 重复"),
        ("p, clerk, Case, read, True, ~narrative, allow", "没有掩码，不能写 ~narrative"),
        ("p, clerk, Case, read, True, *, allow", "allow 不能写 *"),
        ("p, clerk, Case, close, True, *, allow", "allow 不能写 *"),
        ("p, clerk, Case, read, True, ~name, deny", "deny 不能写 ~"),
        ("p, clerk, Case, reveal, True, ~name, allow", "~ 只用于 read"),
        ("p, clerk, Case, read, True, -, allow", "read 规则须写出字段类别"),
        ("p, clerk, Case, read, True, -, deny", "read 规则须写出字段类别"),
        ("p, clerk, Case, close, True, -, deny", "deny 不能写 -"),
        ("p3, New, 新", "角色名 'New'"),
        ("p3, 新, 新", "角色名 '新'"),
        ("p3, role:new, 新", "角色名 'role:new'"),
        ("p2, r, True, 名", "不能为 r"),
        ("p2, Near, True, 名", "条件名 'Near'"),
        ("p2, near, r.obj.open and, 名", "不是合法的表达式"),
        ("p2, near, r.obj.__class__, 名", "没有可用于条件的属性 __class__"),
        ("p2, near, 9**9**9, 名", "不允许的写法：9**9**9"),
        ("p2, near, r.obj.open and r.obj.title, 名", "没有可用于条件的属性 title"),
    ],
)  # fmt: skip
def test_a_line_that_means_nothing_is_refused(line: str, part: str) -> None:
    ((number, message),) = problems(f"{line}\n{READ}")
    assert (number, part in message) == (4, True), message


@pytest.mark.parametrize(
    ("line", "marked"),
    [
        ("q, clerk", "q"),
        ("  p4, clerk", "p4"),
        ("p, boss, Case, read, True, public, allow", "boss"),
        ("p, clerk, Thing, read, True, public, allow", "Thing"),
        ("p, clerk, Case, destroy, True, -, allow", "destroy"),
        ("p, clerk, Case, read, r.obj.open and 9**9**9, public, allow", "9**9**9"),
        ("p, clerk, Case, read, r.obj.open or r.obj.__class__, public, allow", "r.obj.__class__"),
        ("p, clerk, Case, read, r.obj.town == r.sub.__dict__, public, allow", "r.sub.__dict__"),
        ("p, clerk, Case, read, r.obj.open and nearby, public, allow", "nearby"),
        ("p, clerk, Case, read, True, public|secret, allow", "secret"),
        ("p, clerk, Case, read, True, public|~narrative, allow", "~narrative"),
        ("p,clerk,Case,read,True,public,Deny", "Deny"),
        ("p, clerk, Case, read, True, public, de\u200bny", "\u200bny"),
        ("p, clerk, Case, read, True, public, allow\0", "\0"),
        ('p, clerk, Case, read, "True", public, allow', '"True"'),
        ("p, clerk, Case, read, r.obj.state == '状', public, allow", "状'"),
        ("p, clerk, Case, read, , public, allow", ", public"),
        ("g, clerk, boss", "boss"),
        ("p2, near, r.obj.open and r.obj.nothing, 名", "r.obj.nothing"),
        ("p3, clerk, 重复", "clerk"),
    ],
)
def test_a_problem_has_the_column_of_the_mistake(line: str, marked: str) -> None:
    ((number, _, column),) = places(line)
    assert (number, line[column - 1 :].startswith(marked)) == (4, True), line[column - 1 :]


def test_a_mistake_is_reported_once_and_not_wherever_its_name_is_used() -> None:
    broken = "p2, near, 9**9**9, 附近\np, clerk, Case, read, near, public, allow\np, clerk, Case, close, near and r.obj.open, -, allow"
    assert [line for line, _, _ in places(broken)] == [4]
    assert [line for line, _, _ in places("p3, New, 新\np, New, Case, read, True, public, allow\ng, clerk, New")] == [4]
    assert [line for line, _, _ in places("p2, a, b, 甲\np2, c, a, 丙\np, clerk, Case, read, c, public, allow")] == [4]
    assert problems("q, clerk\n") == [(4, "未知的行类型 'q'，只允许 p、p2、p3、g")]


def test_a_name_that_does_not_fit_the_resource_is_reported_in_the_rule_that_uses_it() -> None:
    text = "p2, near, r.obj.town == r.sub.area, 附近\np, clerk, Place, read, near, public, allow"
    ((number, message, column),) = places(text)
    assert (number, message, column) == (5, "条件 near：Place 没有可用于条件的属性 town", 24)


def test_a_name_is_defined_before_it_is_used_and_once() -> None:
    assert only_problem("p, clerk, Case, read, later, narrative, allow").startswith("未定义的条件名")
    # The order of p2 and p lines does not matter, that of p2 lines does.
    assert policy("p, clerk, Case, read, later, public, allow\np2, later, r.obj.open, 名\n")
    lines = problems("p2, a, b, 甲\np2, b, r.obj.open, 乙\np2, b, True, 丙\np, clerk, Case, read, a, public, allow\n")
    assert [line for line, _ in lines] == [4, 6]


def test_an_empty_policy_is_refused() -> None:
    for text in ("", "\n\n", "# 只有注释\n"):
        assert problems(text) == [(0, "策略没有任何规则")]
        assert problems(text, head="") == [(0, "策略没有任何规则")]


def test_the_same_rule_twice_is_refused_whatever_its_fields() -> None:
    ((line, message),) = problems(
        "p, clerk, Case, read, True, public, allow\np, clerk, Case, read, True, name, allow\n"
    )
    assert (line, "与第 4 行重复" in message) == (5, True)
    assert policy("p, clerk, Case, read, True, public, allow\np, clerk, Case, read, True, name, deny\n")


def test_all_mistakes_come_at_once_in_the_order_of_their_lines() -> None:
    text = (
        "p2, near, r.obj.town == r.sub.area, 附近\r\n"  # 4
        "g, clerk, boss\n"  # 5
        "p, clerk, Case, read, near, public, allow\n"  # 6
        "\n# 注释\n"  # 7, 8
        "p, boss, Thing, read, near, public, Allow\n"  # 9: three mistakes
        "p, clerk, Case, read, nearer, secret|money, allow\n"  # 10: three mistakes
        "q, clerk\n"  # 11
        "p3, clerk, 重复\n"  # 12
        "p2, near, True, 重复\n"  # 13
        "p, clerk, Case, read, near, public, allow"  # 14, without an end of line
    )
    assert [line for line, _ in problems(text)] == [5, 9, 9, 9, 10, 10, 10, 11, 12, 13, 14]
    with pytest.raises(PolicyRefused) as refused:
        compile_policy(HEAD + text, CATALOG)
    assert str(refused.value).splitlines()[0] == "第 5 行：未声明的角色 'boss'，请先用 p3 行声明"


def test_the_specification_names_functions_that_exist() -> None:
    """Private functions of the compiler, public ones by their modules, and members of `Policy`, `Access` and `Grant`."""
    text = str(compiler.__doc__)
    source = Path(str(compiler.__file__)).read_text(encoding="utf-8")
    private = re.findall(r"`(_[a-z_]+)`", text)
    assert {name for name in private if f"def {name}(" not in source} == set()
    public = re.findall(r"`policies\.([a-z]+)\.([A-Za-z_]+)`", text)
    assert [names for names in public if not hasattr(import_module(f"policies.{names[0]}"), names[1])] == []
    members = re.findall(r"`(Policy|Access|Grant)\.([a-z_]+)`", text)
    classes = {"Policy": Policy.__dict__ | Policy.__dataclass_fields__, "Access": vars(Access), "Grant": vars(Grant)}
    assert [names for names in members if names[1] not in classes[names[0]]] == []
    assert len(private) + len(public) + len(members) > 15
