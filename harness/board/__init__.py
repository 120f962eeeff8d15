"""Entries, and the ranked tables that are derived from them."""
