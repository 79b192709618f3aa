"""Chinese labels of codes that occur only in inputs."""

from db.commands.dispute.ending import END_REASONS

LABELS: dict[str, str] = {
    "RESERVED": "法律规定由专门机关管辖或禁止民间调解", "ELSEWHERE": "法院、公安或其他行政机关已受理或处理", "NOT_CIVIL": "不属民事权益",
    "OUT_OF_AREA": "不属本辖区", "ADMINISTRATIVE": "行政争议", "PARTY_REFUSES": "一方拒绝调解", "DUPLICATE": "重复登记",
    **END_REASONS,
    "PHONE": "联系电话", "ADDRESS": "住址", "ID_NUMBER": "证件号码", "CREDIT_CODE": "统一社会信用代码", "NAME": "姓名",
    "WATER": "供水", "POWER": "供电", "GAS": "供气", "HEAT": "供热",
    "COURT_REFERRAL": "移送法庭", "LEAD": "线索", "TRANSFER": "转办",
    "TAKEN": "接受", "RETURNED": "退回", "DONE": "办结",
}  # fmt: skip
