"""Training: recipes, augmentation, losses, schedules and the trainer."""
