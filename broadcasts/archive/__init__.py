"""What becomes of finished records: sealed into a chain, pseudonymised, and in the end removed."""
