"""The whitelist of conditions: what a condition means, and every attempt that was thought of to get around it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.condition import MAX_LENGTH, Condition, ConditionRefused, parse, translate
from policies.predicate import Always, And, ClaimRef, Eq, Has, In, Never, Not, Or, Predicate
from tests.policies.small import CASE, CATALOG, PLACE


def meaning(text: str, **named: str) -> Predicate:
    """The predicate of a condition on a case."""
    conditions: dict[str, Condition] = {}
    for name, other in named.items():
        conditions[name] = parse(other, dict(conditions))
    return translate(parse(text, conditions), CASE, CATALOG)


OPEN, DONE = Eq("open", True), Eq("state", "DONE")
TOWN = Eq("town", ClaimRef("area"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("True", Always()),
        ("not True", Never()),
        ("r.obj.open", OPEN),
        ("(((r.obj.open)))", OPEN),
        ("r.obj.open == True", OPEN),
        ("r.obj.open == False", Eq("open", False)),
        ("r.obj.open != True", Not(OPEN)),
        ("not r.obj.open", Not(OPEN)),
        ("not not r.obj.open", OPEN),
        ("r.obj.state == 'DONE'", DONE),
        ("r.obj.state != 'DONE'", Not(DONE)),
        ("r.obj.state == 'A' 'B'", Eq("state", "AB")),
        ("r.obj.town == r.sub.area", TOWN),
        ("r.obj.owner == r.sub.person", Eq("owner", ClaimRef("person"))),
        ("r.obj.team in r.sub.teams", In("team", ClaimRef("teams"))),
        ("r.sub.person in r.obj.helpers", Has("helpers", ClaimRef("person"))),
        ("r.obj.open and r.obj.state == 'DONE'", And((OPEN, DONE))),
        ("r.obj.open or r.obj.state == 'DONE'", Or((OPEN, DONE))),
        ("r.obj.open and (r.obj.fresh or r.obj.state == 'DONE')", And((OPEN, Or((Eq("fresh", True), DONE))))),
        ("r.obj.open or r.obj.open and r.obj.fresh", OPEN),
        ("not (r.obj.open or r.obj.fresh)", Not(Or((OPEN, Eq("fresh", True))))),
    ],
)
def test_what_a_condition_means(text: str, expected: Predicate) -> None:
    assert meaning(text) == expected


def test_names_are_expanded_as_a_whole() -> None:
    assert meaning("here and ours", here="r.obj.town == r.sub.area", ours="r.obj.open or r.obj.fresh") == And(
        (TOWN, Or((OPEN, Eq("fresh", True))))
    )
    assert meaning("not n", n="r.obj.open or r.obj.fresh") == Not(Or((OPEN, Eq("fresh", True))))
    assert meaning("b", a="r.obj.open", b="a and a") == OPEN


def test_a_name_is_no_part_of_a_path() -> None:
    assert meaning("r.obj.open", open="r.obj.fresh", obj="r.obj.fresh") == OPEN


NOT_ALLOWED = {
    "attribute of Python's own": "r.obj.__class__",
    "a path into Python": "r.obj.__class__.__mro__ == 'x'",
    "deeper than an attribute": "r.obj.state.upper == 'X'",
    "call of a method": "r.obj.state.upper() == 'X'",
    "call": "open('x')",
    "call of a name": "covers('a')",
    "import": "__import__('os')",
    "lambda": "lambda: True",
    "power tower": "9**9**9",
    "power tower compared": "r.obj.state == 9**9**9",
    "arithmetic": "r.obj.state == 'a' + 'b'",
    "format operator": "r.obj.state == '%s' % 'a'",
    "negative number": "r.obj.open == -1",
    "list comprehension": "[x for x in r.obj.helpers]",
    "generator": "r.obj.state in (x for x in r.sub.teams)",
    "dictionary": "{}",
    "set": "r.obj.state in {'A'}",
    "tuple": "r.obj.state in ('A',)",
    "list": "r.obj.state in ['A']",
    "f-string": "r.obj.state == f'{r.sub.area}'",
    "f-string alone": "f'x'",
    "walrus": "(x := r.obj.open)",
    "subscript": "r.obj['open']",
    "slice": "r.obj.state[0:1] == 'A'",
    "star": "r.obj.state == *r.sub.teams",
    "is": "r.obj.open is True",
    "is not": "r.obj.open is not True",
    "not in": "r.obj.team not in r.sub.teams",
    "less than": "r.obj.state < 'B'",
    "chained comparison": "r.obj.town == r.sub.area == r.sub.area",
    "chained with in": "r.obj.team in r.sub.teams in r.sub.teams",
    "conditional": "r.obj.open if r.obj.fresh else True",
    "await": "await r.obj.open",
    "yield": "(yield r.obj.open)",
    "statement": "x = 1",
    "two statements": "True; True",
    "False": "False",
    "None": "None",
    "one": "1",
    "text alone": "'a'",
    "ellipsis": "...",
    "compared with None": "r.obj.state == None",
    "compared with a number": "r.obj.state == 1",
    "a truth with a number": "r.obj.open == 1",
    "a text with a truth": "r.obj.state == True",
    "bytes": "r.obj.state == b'A'",
    "empty text": "r.obj.state == ''",
    "text with a space": "r.obj.state == 'A B'",
    "text with a quote": 'r.obj.state == "a\'b"',
    "text with a backslash": r"r.obj.state == 'a\\'",
    "text with an escaped bracket": r"r.obj.state == '\x29'",
    "a key with a text": "r.obj.owner == 'x'",
    "literal first": "'DONE' == r.obj.state",
    "claim first": "r.sub.area == r.obj.town",
    "two literals": "'a' == 'a'",
    "two attributes": "r.obj.state == r.obj.town",
    "two claims": "r.sub.area == r.sub.area",
    "unequal to a claim": "r.obj.town != r.sub.area",
    "not over a claim": "not r.obj.town == r.sub.area",
    "not over a claim inside": "not (r.obj.open and r.obj.town == r.sub.area)",
    "not not over a claim": "not not r.obj.town == r.sub.area",
    "a text alone as a truth": "r.obj.state",
    "a set alone as a truth": "r.obj.helpers",
    "a claim alone as a truth": "r.sub.person",
    "a set compared": "r.obj.helpers == r.sub.person",
    "a set in a set": "r.sub.teams in r.obj.helpers",
    "a text in a set": "r.obj.state in r.sub.teams",
    "a key in one key": "r.obj.team in r.sub.person",
    "a claim in a single attribute": "r.sub.person in r.obj.owner",
    "a text claim with a key": "r.obj.owner == r.sub.area",
    "unknown attribute": "r.obj.secret == 'A'",
    "unknown claim": "r.obj.town == r.sub.role",
    "role of the caller": "r.sub.role == 'chief'",
    "the request's other parts": "r.cell == 'row'",
    "the action": "r.action == 'read'",
    "the rule itself": "p.eft == 'allow'",
    "the object itself": "r.obj",
    "another root": "q.obj.open",
    "unknown name": "everything",
    "r alone": "r",
    "nothing": "",
    "blank": "   ",
    "comment": "# True",
    "unbalanced": "(True",
    "closing": "True)",
    "keyword": "and",
    "NUL": "r.obj.open\0",
    "NUL inside": "r.obj.state == 'A\0B'",
    "full-width letters": "r.obj.ｏpen",
    "full-width equal sign": "r.obj.state ＝＝ 'A'",
    "letters of another script": "r.obj.оpen",
    "bidirectional override": "r.obj.open\u202e",
    "right-to-left mark in a text": "r.obj.state == 'A\u200fB'",
    "invisible space": "r.obj.state\u200b == 'A'",
    "no-break space": "r.obj.state\u00a0== 'A'",
    "Chinese text": "r.obj.state == '完'",
    "line break": "r.obj.open\nor True",
    "half of a character": "r.obj.state == '\ud800'",
}


@pytest.mark.parametrize("text", NOT_ALLOWED.values(), ids=NOT_ALLOWED.keys())
def test_what_is_not_allowed(text: str) -> None:
    with pytest.raises(ConditionRefused):
        meaning(text)


HUGE = {
    "long text": "r.obj.state == '" + "A" * MAX_LENGTH + "'",
    "many parts": " and ".join(["r.obj.open"] * 45),
    "deep brackets": "(" * 240 + "True" + ")" * 240,
    "very deep brackets": "(" * 100_000 + "True" + ")" * 100_000,
    "deep not": "not " * 124 + "True",
    "deep unary": "-" * 490 + "1",
    "deep attributes": "r" + ".a" * 240,
    "long number": "r.obj.open == " + "9" * 480,
    "very long number": "r.obj.open == " + "9" * 5000,
}


@pytest.mark.parametrize("text", HUGE.values(), ids=HUGE.keys())
def test_what_is_too_much(text: str) -> None:
    with pytest.raises(ConditionRefused):
        meaning(text)


def test_names_that_double_each_other_are_refused_before_they_fill_the_memory() -> None:
    """Thirty lines, each twice the one before: 2 ** 29 times the first condition."""
    conditions = {"n0": parse("r.obj.open or r.obj.fresh")}

    def double() -> None:
        for number in range(1, 30):
            conditions[f"n{number}"] = parse(f"n{number - 1} and n{number - 1}", dict(conditions))

    with pytest.raises(ConditionRefused, match="代入条件名之后"):
        double()
    assert len(conditions) < 12


def test_a_condition_is_for_one_kind_of_object() -> None:
    with pytest.raises(ConditionRefused, match="Place 没有可用于条件的属性 open"):
        translate(parse("r.obj.open"), PLACE, CATALOG)


@given(st.text(alphabet=st.sampled_from("r.objsuantew'()=!<>[]{}*,:|&^~-+% 01"), max_size=60))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_any_text_is_a_predicate_or_is_refused(text: str) -> None:
    try:
        predicate = meaning(text)
    except ConditionRefused:
        return
    assert isinstance(predicate, Always | Never | Eq | In | Has | And | Or | Not)
