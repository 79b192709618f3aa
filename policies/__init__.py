"""Who may: the policy language, its compiler, and the grants of a caller. Never knows SQL, GraphQL or HTTP."""
