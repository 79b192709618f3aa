"""From a selection and an access to a plan: pure, with the cost computed before the query is executed."""
