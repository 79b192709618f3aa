"""Chinese labels of codes that occur only in inputs."""

LABELS: dict[str, str] = {
    "RESERVED": "法律规定由专门机关管辖或禁止民间调解", "ELSEWHERE": "法院、公安或其他行政机关已受理或处理", "NOT_CIVIL": "不属民事权益",
    "OUT_OF_AREA": "不属本辖区", "ADMINISTRATIVE": "行政争议", "PARTY_REFUSES": "一方拒绝调解", "DUPLICATE": "重复登记",
    "WATER": "供水", "POWER": "供电", "GAS": "供气", "HEAT": "供热",
}  # fmt: skip
