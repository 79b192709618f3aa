"""The demo county: a whole year of invented disputes in a real county's towns, the same on every machine.

Communities, grids, compounds, companies, people and their numbers are made up; the ID numbers belong to nobody.
It is written through an ordinary connection, and every constraint and trigger holds for it.
"""
