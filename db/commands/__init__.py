"""Every command of the service, one module per noun; importing the package registers them all."""

from importlib import import_module

from db.write.command import COMMANDS as _REGISTERED

__all__ = ["COMMANDS"]

# Modules that register commands, in the order in which the mutations stand in the SDL; inside a module it is that of definition.
# A module that is not listed here fails the test that every action of a resource is a command.
_MODULES = (
    "visit", "follow_up", "obligation", "obligation_end", "agreement", "alert", "appointment", "dispute.referral", "referral", "dispute.opinion",
    "dispute.assignment", "dispute.closing", "confirmation", "dispute.handover", "party", "dispute.registration", "dispute.acceptance",
    "dispute.consent", "dispute.ending", "dispute.measure", "dispute.session", "dispute.extension", "person", "policy", "party_reveal",
    "dispute.risk", "team", "agreement_variation", "agreement_suit", "agreement_default",
)  # fmt: skip
_PLACE = {import_module(f"{__name__}.{module}").__name__: place for place, module in enumerate(_MODULES)}

COMMANDS = dict(sorted(_REGISTERED.items(), key=lambda item: _PLACE[item[1].run.__module__]))
