"""What is, and how it may change: PostgreSQL, its tables, reads and commands. Knows neither GraphQL nor HTTP."""
