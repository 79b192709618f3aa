"""The life of a dispute as a table: which action is possible in which state. It drives `access.can` and the guards of commands."""

from db.tables.dispute import (
    BEFORE_AGREEMENT_STATES,
    CLOSED_STATES,
    FOLLOW_UP_STATES,
    IN_HAND_STATES,
    OPEN_STATES,
    UNDER_MEDIATION_STATES,
)

_MEDIATED = ("MEDIATING",)

# action -> the states in which it may start. Source: domain state machine; the law's articles stand beside the guards.
FROM_STATES: dict[str, tuple[str, ...]] = {
    "accept": ("REGISTERED",),
    "decline": ("REGISTERED",),
    "notify": ("ACCEPTED",),
    "consent": UNDER_MEDIATION_STATES,
    "refuse": BEFORE_AGREEMENT_STATES,
    "assign": IN_HAND_STATES,
    "disclose": IN_HAND_STATES,
    "recuse": IN_HAND_STATES,
    "measure": OPEN_STATES,
    "add": BEFORE_AGREEMENT_STATES,
    "record": _MEDIATED,
    "assess": OPEN_STATES,
    "report": OPEN_STATES,
    "extend": UNDER_MEDIATION_STATES,
    "escalate": UNDER_MEDIATION_STATES,
    "take": UNDER_MEDIATION_STATES,
    # A hand-over that was overtaken by an agreement or an end is sent back, so that none waits for ever.
    "return": (*IN_HAND_STATES, "CLOSED", "FAILED", "WITHDRAWN", "REFUSED"),
    "invite": UNDER_MEDIATION_STATES,
    # To whom it belongs (首接负责) or to the court, also when it was declined or has failed.
    "refer": (*OPEN_STATES, "DECLINED", "FAILED", "REFUSED"),
    "opine": UNDER_MEDIATION_STATES,
    "agree": _MEDIATED,
    "follow": FOLLOW_UP_STATES,
    "terminate": UNDER_MEDIATION_STATES,
    "withdraw": BEFORE_AGREEMENT_STATES,
    "close": ("PERFORMED",),
    "archive": ("CLOSED", "FAILED", "WITHDRAWN", "REFUSED", "DECLINED"),
    "reopen": CLOSED_STATES,
}

# Actions that are questions: nothing is done to the row, so they are never offered on it.
ASKING = frozenset({"read", "count", "impact", "explain"})

# Actions that make a new row of a resource: never offered on a row that is there.
CREATING: dict[str, frozenset[str]] = {
    "Dispute": frozenset({"register"}),
    "Team": frozenset({"form"}),
    "Appointment": frozenset({"grant"}),
    "Inspection": frozenset({"record"}),
    "Visit": frozenset({"record"}),
}
