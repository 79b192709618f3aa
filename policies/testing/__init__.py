"""Tests of policies: the suite in YAML, its run on compiled predicates and by Casbin as the oracle, and mutation testing."""
