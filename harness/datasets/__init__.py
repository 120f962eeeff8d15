"""Data sets: readers, the store of prepared arrays, and splits that share no subject."""
