"""Versions of the access policy, and the questions about them: who is in charge, why a cell shows, what another would change."""
