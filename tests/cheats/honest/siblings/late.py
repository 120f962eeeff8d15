"""Imported while it predicts."""

LOADED = True
