"""The statistics of the county report: the metrics, the sums they are computed from, and the answer.

The database keeps the sums itself, in the transaction of each change (`db.tables.tally`, migration 0007). By its tables:

- `tally`: the measures of each dispute, one row a dispute;
- `tally_sum`: rollups of the measures, for each wide scope, kind of group, and month or year;
- `tally_days`: rollups of the days to a resolution, as a histogram: how many disputes were resolved in so many days;
- `tally_change`: changes of the measures that no rollup has yet, each with its weight (one, or minus one), until they are compacted
  (`db.write.rollups.compact`, in SQL `tally_fold`).

Rollups and changes of one snapshot are exactly the measures of that snapshot.
"""
