"""Questions about the policy itself, answered by Python from one snapshot."""
