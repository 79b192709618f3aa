"""The life of a dispute as a table: which action is possible in which state. It drives `access.can` and the guards of commands."""

_BEFORE_AGREEMENT = ("ACCEPTED", "MEDIATING")
_MEDIATED = ("MEDIATING",)
# While somebody mediates or sees to the performance.
_IN_HAND = ("ACCEPTED", "MEDIATING", "AGREED", "PERFORMING", "PERFORMED")
_UNTIL_CLOSED = ("REGISTERED", "ACCEPTED", "MEDIATING", "AGREED", "PERFORMING", "PERFORMED")

# action -> the states in which it may start. Source: domain state machine; the law's articles stand beside the guards.
FROM_STATES: dict[str, tuple[str, ...]] = {
    "accept": ("REGISTERED",),
    "decline": ("REGISTERED",),
    "notify": ("ACCEPTED",),
    "consent": ("ACCEPTED", "MEDIATING"),
    "refuse": ("REGISTERED", "ACCEPTED", "MEDIATING"),
    "assign": _IN_HAND,
    "disclose": _IN_HAND,
    "recuse": _IN_HAND,
    "measure": _UNTIL_CLOSED,
    "add": ("REGISTERED", "ACCEPTED", "MEDIATING"),
    "record": _MEDIATED,
    "assess": _UNTIL_CLOSED,
    "report": _UNTIL_CLOSED,
    "extend": _BEFORE_AGREEMENT,
    "escalate": _BEFORE_AGREEMENT,
    "take": _BEFORE_AGREEMENT,
    # A hand-over that was overtaken by an agreement or an end is sent back, so that none waits for ever.
    "return": (*_IN_HAND, "CLOSED", "FAILED", "WITHDRAWN", "REFUSED"),
    "invite": _BEFORE_AGREEMENT,
    # To whom it belongs (首接负责) or to the court, also when it was declined or has failed.
    "refer": (*_UNTIL_CLOSED, "DECLINED", "FAILED", "REFUSED"),
    "opine": _BEFORE_AGREEMENT,
    "agree": _MEDIATED,
    "follow": ("AGREED", "PERFORMING", "PERFORMED", "CLOSED"),
    "terminate": _BEFORE_AGREEMENT,
    "withdraw": ("REGISTERED", "ACCEPTED", "MEDIATING"),
    "close": ("PERFORMED",),
    "archive": ("CLOSED", "FAILED", "WITHDRAWN", "REFUSED", "DECLINED"),
    "reopen": ("CLOSED", "ARCHIVED"),
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
