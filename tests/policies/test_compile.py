"""From text to policy: every trap that was found by running Casbin, under its name; every mistake at once, each with its line."""

import sys
from types import SimpleNamespace
from typing import Any

import casbin
import pytest

from db.resources.catalog import CATALOG as SHIPPED_CATALOG
from policies import compile as compiling
from policies.compile import MAX_INHERITANCE, MAX_RULES_TOGETHER, POLICY_PATH, compile_policy
from policies.grant import Access, Appointment
from policies.policy import Policy, PolicyRefused, covers
from policies.predicate import Never
from policies.text import MAX_BYTES
from tests.policies.small import CATALOG, HEAD, places, policy, problems, row, thing

READ = "p, clerk, Case, read, True, public, allow\n"
CLAIMS = {"person": 1, "area": "T", "teams": [7]}


def enforcer(compiled: Policy) -> casbin.Enforcer:
    """Casbin with what it holds of the policy."""
    made = casbin.Enforcer(compiled.loaded)
    made.build_role_links()
    made.add_function("covers", covers)
    return made


def ask(compiled: Policy, role: str, cell: str = "row", **values: Any) -> bool:
    """Casbin's word on one cell of a case."""
    subject = SimpleNamespace(role=role, **CLAIMS)
    return bool(enforcer(compiled).enforce(subject, "Case", "read", thing(row(**values)), cell))


def only(text: str) -> str:
    """The message of the one mistake, which is in the first line after the roles."""
    ((line, message),) = problems(f"{text}\n{READ}")
    assert line == 4
    return message


# -- the traps


def test_quotes_are_refused_because_casbin_keeps_them() -> None:
    assert "双引号" in only('p, clerk, Case, read, "True", public, allow')
    assert "双引号" in only('p, "clerk", Case, read, True, public, allow')


def test_a_comma_in_quotes_is_refused_because_it_splits_all_the_same() -> None:
    assert "应有 6 列，实有 7 列" in only("p, clerk, Case, read, \"r.obj.state == 'a, b'\", public, allow")
    assert "应有 6 列，实有 7 列" in only("p, clerk, Case, read, r.obj.state == 'a,b', public, allow")


def test_a_comma_in_brackets_is_refused_although_casbin_would_keep_it_together() -> None:
    assert "应有 6 列，实有 7 列" in only("p, clerk, Case, read, f(r.obj.open, True), public, allow")


@pytest.mark.parametrize("key", ["P", "p1", "p4", "pp", "g2", "r", "m", "e", "policy", "", "p ,p", "\ufeffp", "ｐ"])
def test_a_line_with_an_unknown_key_is_refused_because_casbin_drops_it_in_silence(key: str) -> None:
    ((line, _),) = problems(f"{READ}{key}, clerk, Case, read, True, narrative, deny\n")
    assert line == 5


@pytest.mark.parametrize(
    "effect", ["Deny", "DENY", "dney", "deny.", "denied", "allow deny", "deny\u3000", "ｄeny", "", "Allow", "*"]
)
def test_an_effect_that_is_not_written_exactly_is_refused_because_it_denies_nothing(effect: str) -> None:
    ((line, _),) = problems(f"{READ}p, clerk, Case, read, True, public, {effect}\n")
    assert line == 5


@pytest.mark.parametrize("written", ["deny ", "deny\t", "deny  \r", "allow "])
def test_an_effect_with_a_blank_behind_it_is_refused_because_another_reader_may_keep_it(written: str) -> None:
    assert problems(f"{READ}p, clerk, Case, read, r.obj.open, name, {written}\n") == [(5, "列末不能有空格")]


@pytest.mark.parametrize("column", range(1, 6))
def test_no_column_ends_with_a_blank(column: int) -> None:
    parts = ["p", "clerk", "Case", "read", "True", "public", "allow"]
    parts[column] += " "
    ((line, message, place),) = places(", ".join(parts))
    assert (line, message) == (4, "列末不能有空格")
    assert ", ".join(parts)[place - 1] == " "


@pytest.mark.parametrize("written", ["deny", " deny", "\tdeny", "  deny\r"])
def test_blanks_before_an_effect_mean_nothing(written: str) -> None:
    compiled = policy(f"{READ}p, clerk, Case, read, r.obj.open, *,{written}\n")
    assert [rule.allow for rule in compiled.rules] == [True, False]
    assert not ask(compiled, "clerk", open=True)
    assert ask(compiled, "clerk", open=False)


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
    assert [one for one, message in problems(edges + READ) if "成环" in message] == [line]


def test_a_cycle_longer_than_casbin_follows_is_refused_as_too_deep() -> None:
    steps = MAX_INHERITANCE + 4
    roles = "".join(f"p3, n{number}, 角色\n" for number in range(steps))
    edges = "".join(f"g, n{number}, n{(number + 1) % steps}\n" for number in range(steps))
    assert {"超过 9 层" in message for _, message in problems(roles + edges + READ)} == {True}


def test_inheritance_of_unknown_roles_is_refused() -> None:
    assert problems("g, clerk, boss\n" + READ) == [(4, "未声明的角色 'boss'，请先用 p3 行声明")]
    assert problems("g, boss, clerk\n" + READ) == [(4, "未声明的角色 'boss'，请先用 p3 行声明")]
    assert problems("g, clerk, chief\ng, clerk, chief\n" + READ) == [(5, "角色继承重复")]


def test_inheritance_deeper_than_casbin_follows_is_refused() -> None:
    """Casbin stops after nine steps without a word; the compiled policy would go on."""

    def text(steps: int) -> str:
        roles = "".join(f"p3, n{number}, 角色\n" for number in range(steps + 1))
        edges = "".join(f"g, n{number}, n{number + 1}\n" for number in range(steps))
        return f"{roles}{edges}p, n{steps}, Case, read, True, public, allow\n"

    compiled = policy(text(MAX_INHERITANCE))
    assert ask(compiled, "n0")
    assert compiled.rules_for("n0", "Case", "read")
    ((line, message),) = problems(text(MAX_INHERITANCE + 1))
    assert (line, "超过 9 层" in message) == (4 + MAX_INHERITANCE + 2, True)


def test_a_person_named_like_a_role_holds_no_role() -> None:
    """Only the role of an appointment is ever looked up; Casbin's `g` lines name roles and nobody else."""
    compiled = policy(READ)
    for role in ("Clerk", "clerk ", "user:clerk", "1", "", "role:clerk", "王五"):
        access = Access(compiled, [Appointment(role, {"person": "clerk", "area": "clerk", "teams": ["clerk"]})])
        assert access.grant("Case").rows == Never()
        assert not ask(compiled, role)
    assert "未声明的角色 '王五'" in only("g, 王五, clerk")


def test_one_broken_rule_never_reaches_casbin() -> None:
    """In Casbin a single rule that cannot be evaluated makes every request of every role raise."""
    good = policy("p, clerk, Case, read, r.obj.open, public, allow\np, chief, Case, read, True, public, allow\n")
    for broken in ("r.obj.nothing", "r.obj.open and", "1/0 == 1", "undefined"):
        assert only(f"p, guest, Case, read, {broken}, public, allow")
    assert ask(good, "chief")
    assert ask(good, "clerk", open=True)
    # What Casbin would have done.
    raw = enforcer(good)
    raw.add_policy("guest", "Case", "read", "r.obj.nothing", "public", "allow")
    with pytest.raises(Exception, match="nothing"):
        raw.enforce(SimpleNamespace(role="guest", **CLAIMS), "Case", "read", thing(row()), "row")


def test_what_casbin_holds_is_what_was_checked() -> None:
    text = (
        "p2, here, r.obj.town == r.sub.area, 本镇\n"
        "p2, mine, here and r.sub.person in r.obj.helpers, 本人\n"
        "g, chief, clerk\n"
        "p, clerk, Case, read,  mine or (r.obj . open  and here), public|~contact, allow\n"
        "# 注释\n\n"
        "p,chief,Case,read,not(r.obj.state=='DONE'),*,deny\r\n"
        "p, chief, Case, close, True, -, allow\n"
    )
    compiled = policy(text)
    assert compiled.loaded.model["p"]["p"].policy == [
        ["clerk", "Case", "read", "(r.obj.town == r.sub.area and r.sub.person in r.obj.helpers) or (r.obj.open and r.obj.town == r.sub.area)",
         "public|~contact", "allow"],
        ["chief", "Case", "read", "not r.obj.state == 'DONE'", "*", "deny"],
        ["chief", "Case", "close", "True", "-", "allow"],
    ]  # fmt: skip
    assert compiled.loaded.model["g"]["g"].policy == [["chief", "clerk"]]
    assert not compiled.loaded.model["p"]["p2"].policy
    assert [(rule.line, rule.role, rule.condition) for rule in compiled.rules] == [
        (7, "clerk", "mine or (r.obj . open  and here)"),
        (10, "chief", "not(r.obj.state=='DONE')"),
        (11, "chief", "True"),
    ]


def test_a_loader_that_takes_a_line_otherwise_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "load_policy_line", lambda line, model: None)
    assert problems(READ) == [(0, "Casbin 载入的规则与文本不一致")]


def test_the_shipped_policy_is_in_casbin_whole() -> None:
    compiled = compile_policy(POLICY_PATH.read_text(encoding="utf-8"), SHIPPED_CATALOG, 1)
    held = compiled.loaded.model["p"]["p"].policy
    assert [(one[0], one[1], one[2], one[4], one[5]) for one in held] == [
        (rule.role, rule.resource, rule.action, rule.cells, "allow" if rule.allow else "deny")
        for rule in compiled.rules
    ]


# -- what a rule may not say


@pytest.mark.parametrize(
    ("line", "said"),
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
        ("p, clerk, Case, read, True, public", "应有 6 列，实有 5 列"),
        ("p, clerk, Case, read, True, public, allow, extra", "应有 6 列，实有 7 列"),
        ("p, clerk, Case, read, , public, allow", "列不能为空"),
        ("p, clerk, Case, read, True, public, allow # 说明", "#"),
        ("p, clerk, Case, read, r.obj[0], public, allow", "方括号"),
        ("p, clerk, Case, read, r.obj.o\u202epen, public, allow", "控制字符或不可见字符"),
        ("p, clerk, Case, read, True, public, allow\0", "控制字符或不可见字符"),
        ("p, clerk, Case, read, True, public, al\u200blow", "控制字符或不可见字符"),
        ("p, clerk, Case, read, True, public, allow\u2028p, x", "控制字符或不可见字符"),
        ("# 注释 \u2067 反向", "控制字符或不可见字符"),
        ("p3, new, \ud800", "控制字符或不可见字符"),
        ("p3, New, 新", "角色名 'New'"),
        ("p3, 新, 新", "角色名 '新'"),
        ("p3, role:new, 新", "角色名 'role:new'"),
        ("p3, new", "p3 行应有 2 列，实有 1 列"),
        ("p2, r, True, 名", "不能为 r"),
        ("p2, Near, True, 名", "条件名 'Near'"),
        ("p2, near, r.obj.open and, 名", "不是合法的表达式"),
        ("p2, near, r.obj.__class__, 名", "没有可用于条件的属性 __class__"),
        ("p2, near, 9**9**9, 名", "不允许的写法：9**9**9"),
        ("p2, near, r.obj.open and r.obj.title, 名", "没有可用于条件的属性 title"),
        ("p2, near, r.obj.open, 附\u0301近", "U+0301"),
        ("p3, new, 新\u3164", "U+3164"),
        ("p3, new, \ue000", "U+E000"),
        ("g, clerk", "g 行应有 2 列，实有 1 列"),
    ],
)  # fmt: skip
def test_what_a_line_may_not_say(line: str, said: str) -> None:
    ((number, message),) = problems(f"{line}\n{READ}")
    assert (number, said in message) == (4, True), message


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
def test_a_mistake_is_shown_where_it_stands(line: str, marked: str) -> None:
    ((number, _, column),) = places(line)
    assert (number, line[column - 1 :].startswith(marked)) == (4, True), line[column - 1 :]


def test_one_mistake_is_told_once_and_not_wherever_its_name_is_used() -> None:
    broken = "p2, near, 9**9**9, 附近\np, clerk, Case, read, near, public, allow\np, clerk, Case, close, near and r.obj.open, -, allow"
    assert [line for line, _, _ in places(broken)] == [4]
    assert [line for line, _, _ in places("p3, New, 新\np, New, Case, read, True, public, allow\ng, clerk, New")] == [4]
    assert [line for line, _, _ in places("p2, a, b, 甲\np2, c, a, 丙\np, clerk, Case, read, c, public, allow")] == [4]
    assert problems("q, clerk\n") == [(4, "未知的行类型 'q'，只允许 p、p2、p3、g")]


def test_a_name_that_does_not_fit_the_resource_is_shown_in_the_rule_that_uses_it() -> None:
    text = "p2, near, r.obj.town == r.sub.area, 附近\np, clerk, Place, read, near, public, allow"
    ((number, message, column),) = places(text)
    assert (number, message, column) == (5, "条件 near：Place 没有可用于条件的属性 town", 24)


def test_a_name_is_defined_before_it_is_used_and_once() -> None:
    assert only("p, clerk, Case, read, later, narrative, allow").startswith("未定义的条件名")
    # The order of p2 and p lines does not matter, that of p2 lines does.
    assert policy("p, clerk, Case, read, later, public, allow\np2, later, r.obj.open, 名\n")
    found = problems("p2, a, b, 甲\np2, b, r.obj.open, 乙\np2, b, True, 丙\np, clerk, Case, read, a, public, allow\n")
    assert [line for line, _ in found] == [4, 6]


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
    found = problems(text)
    assert [line for line, _ in found] == [5, 9, 9, 9, 10, 10, 10, 11, 12, 13, 14]
    with pytest.raises(PolicyRefused) as refused:
        compile_policy(HEAD + text, CATALOG)
    assert str(refused.value).splitlines()[0] == "第 5 行：未声明的角色 'boss'，请先用 p3 行声明"


def test_a_text_too_large_is_not_read() -> None:
    found = problems("#" * MAX_BYTES)
    assert found[0] == (0, "策略过大（至多 8 MB）")


def _large(rules: int) -> str:
    """A text of many rules, a few for each role, with some inheritance."""
    held = rules // 20
    roles = "".join(f"p3, n{number}, 角色{number}\n" for number in range(held))
    edges = "".join(f"g, n{number}, n{number // 2}\n" for number in range(1, held, 7))
    return f"{roles}{edges}" + "".join(
        f"p, n{number % held}, Case, read, r.obj.state == 'S{number}' and r.obj.town == r.sub.area, public, allow\n"
        for number in range(rules)
    )


def test_ten_thousand_rules_compile() -> None:
    compiled = policy(_large(10_000))
    assert len(compiled.rules) == len(compiled.loaded.model["p"]["p"].policy) == 10_000


def test_the_work_grows_with_the_text_and_not_with_its_square() -> None:
    """Counted, not timed: the calls of our own functions."""

    def calls(rules: int) -> int:
        text, count = _large(rules), 0

        def note(frame: Any, event: str, argument: Any) -> None:
            nonlocal count
            count += event == "call" and "/policies/" in frame.f_code.co_filename

        sys.setprofile(note)
        try:
            policy(text)
        finally:
            sys.setprofile(None)
        return count

    assert calls(2_000) < 12 * calls(200)


def test_rules_that_are_merged_with_each_other_are_bounded() -> None:
    """Two thousand of them kept a process busy for twenty seconds."""

    def rules(number: int, role: str) -> str:
        return "".join(f"p, {role}, Case, read, r.obj.state == 'S{one}', public, allow\n" for one in range(number))

    assert policy(rules(MAX_RULES_TOGETHER, "clerk"))
    found = problems(
        "g, chief, clerk\n" + rules(MAX_RULES_TOGETHER, "clerk") + "p, chief, Case, read, r.obj.open, name, allow\n"
    )
    assert [line for line, message in found if "角色 chief" in message] == [5 + MAX_RULES_TOGETHER]
    assert len(found) == 1


# -- what a policy says


@pytest.mark.parametrize(
    ("fields", "effect", "covered", "free"),
    [
        ("public", "allow", ["row", "public", "~public"], ["name", "~name"]),
        ("~contact", "allow", ["row", "~contact"], ["contact", "public"]),
        ("contact|name", "allow", ["row", "contact", "~contact", "name", "~name"], ["public", "~public"]),
        ("-", "allow", ["row"], ["public", "~public", "name"]),
        ("contact", "deny", ["contact", "~contact"], ["row", "name", "~name"]),
        ("*", "deny", ["row", "public", "~public", "identity"], []),
    ],
)
def test_which_cells_a_fields_column_covers(fields: str, effect: str, covered: list[str], free: list[str]) -> None:
    assert [cell for cell in covered + free if covers(fields, effect, cell)] == covered


def test_rules_come_in_the_order_of_the_text_with_those_of_inherited_roles() -> None:
    compiled = policy(
        "g, chief, clerk\ng, clerk, guest\n"
        "p, chief, Case, read, True, narrative, allow\np, guest, Case, read, True, public, allow\n"
        "p, clerk, Case, read, True, name, allow\np, clerk, Case, close, True, -, allow\n"
    )
    assert [rule.line for rule in compiled.rules_for("chief", "Case", "read")] == [6, 7, 8]
    assert [rule.line for rule in compiled.rules_for("clerk", "Case", "read")] == [7, 8]
    assert [rule.line for rule in compiled.rules_for("guest", "Case", "read")] == [7]
    assert [rule.line for rule in compiled.rules_for("chief", "Case", "close")] == [9]
    assert compiled.rules_for("nobody", "Case", "read") == ()
    assert compiled.rules_for("chief", "Place", "read") == ()
    assert compiled.inherited == {
        "clerk": ("clerk", "guest"),
        "chief": ("chief", "clerk", "guest"),
        "guest": ("guest",),
    }


def test_a_policy_is_its_text() -> None:
    one, same, other = policy(READ, 3), policy(READ, 3), policy(READ + "# 注释\n", 3)
    assert one.sha256 == same.sha256 != other.sha256
    assert (one.version, one.text) == (3, HEAD + READ)


def test_any_allow_and_no_deny() -> None:
    compiled = policy(
        "g, chief, clerk\np, clerk, Case, read, True, public|name, allow\np, chief, Case, read, r.obj.open, name, deny\n"
        "p, guest, Case, read, True, public, allow\np, guest, Case, read, r.obj.fresh, *, deny\n"
    )
    assert ask(compiled, "clerk", "name", open=True)
    assert not ask(compiled, "chief", "name", open=True)
    assert not ask(compiled, "chief", "~name", open=True)
    assert ask(compiled, "chief", "row", open=True)
    assert ask(compiled, "chief", "name", open=False)
    assert not ask(compiled, "guest", "row", fresh=True)
    assert not ask(compiled, "guest", "public", fresh=True)
