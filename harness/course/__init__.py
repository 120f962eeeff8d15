"""What a teacher gets to run a course with the harness: the kit, and the harness as a wheel to hand out."""
