"""What a competitor hands in: found, opened and, in the worker, run."""
