"""Reads: from a plan and an access to one statement, and its answer. Needs the resources; knows no command."""
