"""Every command of the service, one module per noun; importing the package registers them all."""

from db.command import COMMANDS
from db.commands import (
    agreement,
    alert,
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
    reveal,
    risk,
    team,
    variation,
    visit,
)

__all__ = [
    "COMMANDS",
    "agreement",
    "alert",
    "closing",
    "confirmation",
    "follow_up",
    "handover",
    "intake",
    "inviting",
    "mediation",
    "mediators",
    "obligation",
    "parties",
    "reveal",
    "risk",
    "team",
    "variation",
    "visit",
]
