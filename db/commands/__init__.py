"""Every command of the service, one module per noun; importing the package registers them all."""

from db.commands import (
    agreement,
    alert,
    appointment,
    closing,
    confirmation,
    follow_up,
    handover,
    intake,
    inviting,
    mediation,
    mediators,
    obligation,
    parties,
    person,
    policy,
    reveal,
    risk,
    team,
    variation,
    visit,
)
from db.write.command import COMMANDS as _REGISTERED

__all__ = ["COMMANDS"]

# The order in which the mutations stand in the SDL; inside a module it is that of definition.
_MODULES = (
    visit, follow_up, obligation, agreement, alert, appointment, inviting, mediators, closing, confirmation, handover, parties, intake,
    mediation, person, policy, reveal, risk, team, variation,
)  # fmt: skip
_PLACE = {module.__name__: place for place, module in enumerate(_MODULES)}

COMMANDS = dict(sorted(_REGISTERED.items(), key=lambda item: _PLACE[item[1].run.__module__]))
