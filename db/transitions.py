"""The life of a dispute as a table: which action is possible in which state. It drives `access.can` and the guards of commands."""

_BEFORE_AGREEMENT = ("ACCEPTED", "MEDIATING")
_MEDIATED = ("MEDIATING",)
_UNTIL_CLOSED = ("REGISTERED", "ACCEPTED", "MEDIATING", "AGREED", "PERFORMING", "PERFORMED")

# action -> the states in which it may start. Source: domain state machine; the law's articles stand beside the guards.
FROM_STATES: dict[str, tuple[str, ...]] = {
    "accept": ("REGISTERED",),
    "decline": ("REGISTERED",),
    "notify": ("ACCEPTED",),
    "consent": ("ACCEPTED", "MEDIATING"),
    "refuse": ("REGISTERED", "ACCEPTED", "MEDIATING"),
    "assign": _BEFORE_AGREEMENT,
    "measure": _BEFORE_AGREEMENT,
    "record": _MEDIATED,
    "assess": _UNTIL_CLOSED,
    "report": _UNTIL_CLOSED,
    "extend": _BEFORE_AGREEMENT,
    "escalate": _BEFORE_AGREEMENT,
    "invite": _BEFORE_AGREEMENT,
    "opine": _BEFORE_AGREEMENT,
    "agree": _MEDIATED,
    "perform": ("AGREED", "PERFORMING"),
    "follow": ("PERFORMING", "PERFORMED", "CLOSED"),
    "terminate": _BEFORE_AGREEMENT,
    "withdraw": ("REGISTERED", "ACCEPTED", "MEDIATING"),
    "close": ("PERFORMED",),
    "archive": ("CLOSED", "FAILED", "WITHDRAWN", "REFUSED", "DECLINED"),
    "reopen": ("CLOSED",),
}
