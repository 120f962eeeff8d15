"""The wall between a submission and everything that it must not reach."""
