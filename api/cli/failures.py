"""Which exceptions end a command with one line for the person at the terminal, and with which exit code."""

import socket

from api.cli.terminal import BAD_SETTINGS, FAILED

DATABASE_SETTING = "SANLIAN_DATABASE_URL"


def failure_of(error: Exception) -> tuple[str, int] | None:
    """The line (Chinese) and the exit code of an error that the person at the terminal can mend; None for any other."""
    from api.cli.server import CannotServe
    from api.settings import BadSettings
    from db.postgres.embedded.placement import EmbeddedServerError
    from db.postgres.migrate import LockTimeout

    if isinstance(error, BadSettings | CannotServe):
        return str(error), BAD_SETTINGS
    if isinstance(error, EmbeddedServerError | LockTimeout):
        return str(error), FAILED
    import asyncpg

    refusals = (
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.CannotConnectNowError,
        asyncpg.TooManyConnectionsError,
    )
    if isinstance(error, (*refusals, ConnectionError, TimeoutError, socket.gaierror)):
        # The words of the server or of the system; neither repeats the password.
        return f"连不上数据库：{str(error) or type(error).__name__}。请检查 {DATABASE_SETTING}。", FAILED
    return None
