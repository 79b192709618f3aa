"""The plan of every dispute of the demo county: in which town, in which state, and what else it is to show.

117 are resolved, as the county reported for 2023 up to February 2024; the others show every other state.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from db.county.builder import Case
from db.county.deterministic import HashRandom, workday
from db.county.places import CHONGWEN, QINGQUAN, TOWNS, YANZHUANG

RESOLVED_COUNT = 117
SEED = "seed"
SEED_CASE = Case(SEED, CHONGWEN, "CLOSED", "TEAM", "P02", "APPLY", date(2023, 12, 27), date(2024, 2, 20))

_STREETS = {CHONGWEN: 39, QINGQUAN: 26, YANZHUANG: 14}
_OTHERS = (4, 3, 3, 2, 2, 3, 2, 1, 4, 2, 3, 2, 2, 2, 2)  # few enough in most towns to be suppressed in statistics
_USUAL = (
    ("P01",) * 6
    + ("P05",) * 3
    + ("P06",) * 3
    + ("P07",) * 3
    + ("P10",) * 2
    + ("P12", "P13", "P13", "P14", "P02", "P03", "P04", "P09")
)
_SOURCES = (
    ("APPLY",) * 8
    + ("GRID",) * 5
    + ("INITIATIVE",) * 2
    + ("HOTLINE",) * 2
    + ("PETITION", "GOVERNANCE_CENTRE", "POLICE", "COURT", "ONLINE")
)
_FIRST, _LAST = date(2023, 1, 4), date(2024, 2, 23)
_LATE = date(2023, 10, 1)


def resolved() -> Iterator[Case]:
    """All resolved disputes but the seed case, by the day of their agreement."""
    towns = [town for town, count in _STREETS.items() for _ in range(count)]
    towns += [
        town
        for town, count in zip([one for one in TOWNS if one not in _STREETS], _OTHERS, strict=True)
        for _ in range(count)
    ]
    total = len(towns)
    every = [f"P{number:02d}" for number in range(1, 20)] + ["P99"]
    for number in range(total):
        random = HashRandom(f"resolved/{number}")
        town = towns[number * 37 % total]
        tier = random.choice(("TEAM",) * 6 + ("SQUAD",) * 3 + ("CENTRE",))
        tier = "SQUAD" if tier == "CENTRE" and town not in _STREETS else tier
        concluded = workday(_FIRST + (_LAST - _FIRST) * number // (total - 1))
        longest = (
            random.randint(36, 55)
            if number % 9 == 4
            else {"TEAM": 5, "SQUAD": 13, "CENTRE": 18}[tier] + random.randrange(10)
        )
        matter = every[number // 5] if number % 5 == 0 and number // 5 < len(every) else random.choice(_USUAL)
        state = (
            "ARCHIVED"
            if concluded < date(2023, 8, 1)
            else "PERFORMED"
            if number % 4 == 1 and concluded >= _LATE
            else "CLOSED"
        )
        flags = {
            name
            for name, present in {
                "oral": number % 11 == 3,
                "confirm": number % 23 == 7 and town in _STREETS,
                "risk": number % 19 == 5,
                "minor": matter == "P13" and number % 2 == 0,
            }.items()
            if present
        }
        if "confirm" in flags:
            flags.discard("oral")
        yield Case(
            f"resolved/{number}",
            town,
            state,
            tier,
            matter,
            random.choice(_SOURCES),
            concluded - timedelta(days=longest),
            concluded,
            frozenset(flags),
        )


# state, tier, town, matter, source, registered, ended or agreed on, marks. A rebound names the case that it follows.
_UNRESOLVED = """
REGISTERED TEAM   002 P02 HOTLINE           2024-02-28 -          county
REGISTERED TEAM   002 P05 HOTLINE           2024-02-27 -
REGISTERED TEAM   001 P10 HOTLINE           2024-02-26 -
REGISTERED TEAM   101 P01 HOTLINE           2024-02-22 -
REGISTERED TEAM   002 P07 PETITION          2024-02-27 -
REGISTERED TEAM   001 P09 PETITION          2024-02-23 -
REGISTERED TEAM   003 P17 PETITION          2024-02-20 -          transfer
REGISTERED TEAM   002 P13 GOVERNANCE_CENTRE 2024-02-28 -
REGISTERED TEAM   002 P06 GOVERNANCE_CENTRE 2024-02-26 -
REGISTERED TEAM   102 P12 GOVERNANCE_CENTRE 2024-02-21 -          county
REGISTERED TEAM   002 P13 POLICE            2024-02-25 -          risk
REGISTERED TEAM   001 P14 POLICE            2024-02-24 -
REGISTERED TEAM   002 P01 GRID              2024-02-29 -          grid rebound
REGISTERED TEAM   003 P18 ONLINE            2024-02-28 -
ACCEPTED   TEAM   002 P03 APPLY             2024-02-27 -          grid
ACCEPTED   TEAM   002 P11 HOTLINE           2024-02-26 -
ACCEPTED   TEAM   001 P05 GRID              2024-02-23 -
ACCEPTED   TEAM   003 P12 APPLY             2024-02-26 -
ACCEPTED   TEAM   103 P07 GRID              2024-02-22 -
ACCEPTED   SQUAD  002 P15 PETITION          2024-02-05 -
ACCEPTED   TEAM   002 P04 APPLY             2023-12-18 -
ACCEPTED   TEAM   001 P19 HOTLINE           2024-01-08 -
ACCEPTED   SQUAD  105 P16 DEPARTMENT        2024-01-02 -
MEDIATING  TEAM   002 P02 HOTLINE           2024-02-21 -          unrestored grid
MEDIATING  TEAM   002 P01 GRID              2024-02-06 -          grid
MEDIATING  TEAM   002 P07 APPLY             2024-02-04 -          draft
MEDIATING  SQUAD  002 P08 PETITION          2024-01-22 -
MEDIATING  SQUAD  002 P10 GRID              2024-01-10 -          extended
MEDIATING  CENTRE 002 P16 GOVERNANCE_CENTRE 2024-01-09 -          extended
MEDIATING  CENTRE 002 P17 PETITION          2024-01-24 -          risk
MEDIATING  CENTRE 001 P06 HOTLINE           2024-01-15 -          extended
MEDIATING  SQUAD  001 P09 APPLY             2023-12-11 -
MEDIATING  TEAM   001 P13 POLICE            2024-02-01 -          risk
MEDIATING  TEAM   001 P01 APPLY             2024-01-03 -          rebound
MEDIATING  TEAM   003 P05 GRID              2023-12-20 -
MEDIATING  SQUAD  003 P15 APPLY             2024-02-02 -
MEDIATING  CENTRE 003 P08 GOVERNANCE_CENTRE 2024-01-29 -          county
MEDIATING  TEAM   104 P12 GRID              2024-02-07 -
MEDIATING  SQUAD  107 P14 POLICE            2023-12-25 -
MEDIATING  TEAM   110 P07 APPLY             2024-01-05 -
MEDIATING  TEAM   209 P01 COURT             2024-02-19 -
AGREED     TEAM   002 P01 APPLY             2024-02-02 2024-02-26 instalment grid
AGREED     TEAM   002 P06 HOTLINE           2024-02-05 2024-02-27
AGREED     SQUAD  002 P09 PETITION          2024-01-29 2024-02-23 confirm PENDING
AGREED     TEAM   001 P07 GRID              2024-02-06 2024-02-26
AGREED     CENTRE 001 P17 GOVERNANCE_CENTRE 2024-01-30 2024-02-22
AGREED     TEAM   108 P03 APPLY             2024-02-08 2024-02-21 oral
PERFORMING TEAM   002 P01 APPLY             2023-11-20 2023-12-14 PARTLY_PERFORMED grid
PERFORMING TEAM   002 P04 APPLY             2023-11-06 2023-11-28 instalment
PERFORMING SQUAD  002 P06 HOTLINE           2023-10-16 2023-11-10 confirm
PERFORMING CENTRE 002 P14 COURT             2023-10-09 2023-11-03 ENFORCED confirm
PERFORMING SQUAD  002 P09 PETITION          2023-11-13 2023-12-08 confirm REJECTED
UNPERFORMED TEAM  001 P01 GRID              2023-12-04 2023-12-22 RELEASED
PERFORMING TEAM   001 P07 APPLY             2023-11-27 2023-12-19 confirm
PERFORMING SQUAD  001 P10 HOTLINE           2023-10-30 2023-11-24 VARIED
PERFORMING TEAM   003 P01 GRID              2023-12-11 2024-01-05 PARTLY_PERFORMED
PERFORMING SQUAD  003 P03 APPLY             2023-09-18 2023-10-13 SUED
PERFORMING TEAM   101 P07 APPLY             2023-12-13 2024-01-04
PERFORMING TEAM   206 P01 GRID              2023-11-22 2023-12-15 partial
FAILED     SQUAD  002 P14 APPLY             2023-06-05 2023-07-03 court
FAILED     CENTRE 002 P16 PETITION          2023-08-14 2023-09-11 court risk
FAILED     TEAM   002 P01 GRID              2023-03-13 2023-04-06
FAILED     SQUAD  001 P08 GOVERNANCE_CENTRE 2023-10-11 2023-11-08
FAILED     TEAM   001 P13 POLICE            2023-05-15 2023-06-09 court
FAILED     TEAM   003 P07 APPLY             2023-09-04 2023-09-28
FAILED     SQUAD  106 P15 APPLY             2023-04-10 2023-05-08
FAILED     TEAM   111 P12 GRID              2023-11-01 2023-11-27
FAILED     SQUAD  200 P06 HOTLINE           2023-07-10 2023-08-07 court
WITHDRAWN  TEAM   002 P10 APPLY             2023-05-22 2023-06-02
WITHDRAWN  TEAM   002 P05 HOTLINE           2023-12-05 2023-12-15
WITHDRAWN  TEAM   001 P19 APPLY             2023-08-01 2023-08-11
WITHDRAWN  TEAM   003 P11 GRID              2024-01-16 2024-01-26
WITHDRAWN  TEAM   112 P01 APPLY             2023-06-14 2023-06-26
REFUSED    TEAM   002 P13 GRID              2023-11-14 -
REFUSED    TEAM   002 P09 PETITION          2024-01-11 -
REFUSED    TEAM   001 P15 APPLY             2023-04-18 -
REFUSED    TEAM   109 P12 INITIATIVE        2023-10-24 -
DECLINED   TEAM   002 P12 HOTLINE           2023-09-06 -          transfer
DECLINED   TEAM   002 P17 PETITION          2023-11-09 -          transfer
DECLINED   TEAM   001 P18 HOTLINE           2024-01-18 -          transfer
DECLINED   TEAM   001 P14 POLICE            2023-07-19 -
DECLINED   TEAM   003 P16 APPLY             2023-12-07 -
DECLINED   TEAM   107 P19 ONLINE            2023-08-23 -
"""


def unresolved() -> Iterator[Case]:
    """The other disputes. `grid` places one in the seed case's grid, where the principals work."""
    for number, line in enumerate(_UNRESOLVED.split("\n")[1:-1]):
        state, tier, town, matter, source, registered, ended, *flags = line.split()
        previous = None
        if "rebound" in flags:
            late = (case for case in resolved() if case.concluded and case.concluded >= _LATE)
            previous = next(case.key for case in late if case.town.endswith(town) and case.matter == matter)
        yield Case(
            f"unresolved/{number}",
            f"371525{town}",
            state,
            tier,
            matter,
            source,
            date.fromisoformat(registered),
            None if ended == "-" else date.fromisoformat(ended),
            frozenset(flags),
            previous,
        )
