"""A policy of two rules, and tests that kill every mutant of it."""

from policies.testing.run import Report, run
from policies.testing.suite import load
from tests.policies.small import policy

TEXT = (
    "p2, here, r.obj.town == r.sub.area, 本镇\n"
    "p, clerk, Case, read, here, public|~contact, allow\n"
    "p, clerk, Case, close, here and r.obj.open, -, allow\n"
)
PEOPLE = """people:
  办事员: {role: clerk, area: 一镇}
  主任: {role: chief, area: 一镇}
facts:
  本镇: {town: 一镇}
  邻镇: {town: 二镇}
  在办: {open: true}
tests:
  - {says: 邻镇的看不到, who: 办事员, given: 邻镇 在办, nothing: 案件}
"""
READ_TEST = "  - {says: 本镇的看得到, who: 办事员, given: 本镇, want: {案件: {clear: 公开信息, masked: 联系电话}}}\n"
CLOSE_TEST = "  - {says: 在办的可结案, who: 办事员, given: 本镇 在办, want: {案件: {clear: 公开信息, masked: 联系电话, can: 结案}}}\n"


def report(tests: str, text: str = TEXT) -> Report:
    """The report of these tests, together with the one in PEOPLE, on a policy."""
    compiled = policy(text)
    return run(compiled, load(PEOPLE + tests, compiled))
