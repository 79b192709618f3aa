"""What another policy would change on the data as it is, for each role and each token."""
