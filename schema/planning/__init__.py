"""From a selection and an access to a plan: pure, with the cost known before the work."""
