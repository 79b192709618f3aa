"""PostgreSQL itself: where it is, connections, pools, locks, migrations. Knows no table and no rule."""
