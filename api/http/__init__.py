"""GraphQL over HTTP: from bytes to an operation, from an answer to bytes."""
