"""Views of an entry: each module turns one into text, files or pictures."""
