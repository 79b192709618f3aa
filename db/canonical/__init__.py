"""One canonical form for each kind of identity: what is stored, filtered by and matched, whatever way it is typed."""
