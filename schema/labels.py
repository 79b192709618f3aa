"""Chinese labels of what occurs only in inputs: codes, and the parts of a command's input."""

from db.commands.dispute.ending import END_REASONS

LABELS: dict[str, str] = {
    **END_REASONS,
    "PHONE": "联系电话", "ADDRESS": "住址", "ID_NUMBER": "证件号码", "CREDIT_CODE": "统一社会信用代码", "NAME": "姓名",
    "COURT_REFERRAL": "移送法庭", "LEAD": "线索", "TRANSFER": "转办",
    "TAKEN": "接受", "RETURNED": "退回", "DONE": "办结",
}  # fmt: skip

INPUT_LABELS: dict[str, str] = {
    "InstalmentInput": "分期履行的一期。", "TermInput": "协议的一项义务。", "VariedTermInput": "要变更的一项义务。",
    "PartyInput": "一名当事人。", "NoteInput": "一条工作记录。", "FactorInput": "一项影响履行的因素。", "TeamMemberInput": "一名团队成员。",
    "PolicyEditInput": "对策略的一项改动；须且只须写一种。", "PolicyRuleInput": "指明一条规则。", "PolicyGrantInput": "增加的一条规则。",
    "PolicyRowsInput": "一条规则改用的行条件。", "PolicyFieldsInput": "一条规则改用的字段类别。", "PolicyEffectInput": "一条规则改用的效果。",
    "PolicyRoleInput": "一个角色及其名称。", "PolicyInheritanceInput": "一项角色继承。", "PolicyConditionInput": "一个命名的行条件。",
}  # fmt: skip
