"""A package beside the submission."""
