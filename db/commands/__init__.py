"""Every command of the service, one module per noun; importing the package registers them all."""

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
from db.commands.command import COMMANDS

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
