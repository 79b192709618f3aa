"""The figures of the county report: metrics, the sums they are added up from, and the answer."""
