"""What tests borrow: a tiny benchmark, submissions in a few lines, workers, cheats and their canaries."""
