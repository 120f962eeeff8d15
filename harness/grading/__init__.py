"""From what a run predicted to an entry."""
