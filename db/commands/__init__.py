"""Every command of the service, one module per noun; importing the package registers them all."""

from db.commands import intake
from db.commands.command import COMMANDS

__all__ = ["COMMANDS", "intake"]
