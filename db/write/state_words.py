"""Why a state of a dispute does not allow an action, in a sentence to the caller."""

from policies.words import action_words

CLAUSES = {
    "REGISTERED": "纠纷尚未受理",
    "ACCEPTED": "纠纷已受理，调解尚未开始",
    "DECLINED": "纠纷不予受理",
    "MEDIATING": "纠纷正在调解",
    "AGREED": "纠纷已达成协议",
    "PERFORMING": "纠纷的协议正在履行",
    "PERFORMED": "纠纷的协议已履行",
    "UNPERFORMED": "纠纷的协议已终结而未全部履行",
    "CLOSED": "纠纷已结案",
    "ARCHIVED": "纠纷已归档",
    "FAILED": "纠纷已因调解不成而终止",
    "WITHDRAWN": "纠纷已因当事人撤回申请而终止",
    "REFUSED": "纠纷已因当事人拒绝调解而终止",
}


def wrong_state(state: str, resource: str, action: str) -> str:
    """`纠纷已结案，不能登记同意。`"""
    return f"{CLAUSES[state]}，不能{action_words(resource, action)}。"
