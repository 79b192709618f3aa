"""Tests of policies: sentences over people and rows, run by our predicates and judged by Casbin; and what no test would notice."""
