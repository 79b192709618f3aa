"""The numbers of all advisory locks in the database: one for each purpose, so that no two wait for each other by accident."""

from enum import IntEnum, unique


@unique
class AdvisoryLock(IntEnum):
    """Arguments of `pg_advisory_xact_lock(bigint)`, far from the 64-bit hashes that stand for one person (db/commands/party_reveal.py).

    A number is never used again for another purpose: a process of an older release may still take it.
    """

    MIGRATE = 0x5A17_11A5
    # Whatever changes rights: versions of the policy, posts, accounts.
    RIGHTS = 0x5A17_11A6
    SCALE = 0x5A17_11A7
    LOAD_COUNTY = 0x5A17_11A8
    DEMO = 0x5A17_11A9
    # Taken by the functions of migration 0007.
    ROLLUPS = 0x5A17_7A11
