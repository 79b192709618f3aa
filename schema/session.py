"""Mediation sessions, the agencies present, and the notes with their circle of readers."""

from enum import Enum

from db.tables.session import SESSION_RESULTS, VISIBILITIES
from schema.node import Node, code_enum, field, node, to_many, to_one
from schema.scalars import Instant


@code_enum("一次调解的结果。", SESSION_RESULTS)
class SessionResult(Enum):
    AGREED = "达成协议"
    NOT_AGREED = "未达成协议"
    TO_CONTINUE = "有待继续调解"


@code_enum("工作记录的知悉范围。", VISIBILITIES)
class NoteVisibility(Enum):
    SHARED = "共同：到场各方知悉"
    TEAM = "办案团队：承办人员知悉"
    CAUCUS = "背对背：仅记录人与主持调解员知悉"


@node("调解（第几次）：一次面对面或线上的调解。")
class Session(Node):
    held_at: Instant | None = field()
    place: str | None = field()
    is_joint: bool | None = field()
    result: SessionResult | None = field("结果；尚未记录的为 null。")
    record: str | None = field()
    dispute = to_one("dispute", "Dispute", "所属纠纷。")
    notes = to_many("session", "Note", "本次的工作记录；只含调用者在其知悉范围之内的。")
    attendances = to_many("session", "Attendance", "到场的联动单位。")


@node("到场：一个联动单位参加一次调解。")
class Attendance(Node):
    session = to_one("session", "Session", "所到场的那一次调解。")
    organization = to_one("organization", "Organization", "到场单位。")


@node("工作记录（不入卷）：承办人员的一条记录，按知悉范围可见。")
class Note(Node):
    visibility: NoteVisibility | None = field("知悉范围。")
    recorded_at: Instant | None = field()
    text: str | None = field()
    dispute = to_one("dispute", "Dispute", "所属纠纷。")
    session = to_one("session", "Session", "所属的那一次调解；调解以外所记的为 null。")
    author = to_one("person", "Person", "记录人。")
