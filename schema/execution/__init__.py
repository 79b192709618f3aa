"""Runs what was planned: queries and mutations, behind one fence."""
