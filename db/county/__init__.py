"""The demo county: a whole year of invented disputes in a real county's towns, the same on every machine.

Communities, grids, compounds, companies, people and their numbers are made up; the ID numbers belong to nobody.
It writes through an ordinary connection and obeys every constraint and trigger like anyone else.
"""

from db.county.loading import build, load
from db.county.people import PRINCIPALS

__all__ = ["PRINCIPALS", "build", "load"]
