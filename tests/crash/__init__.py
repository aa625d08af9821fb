"""Crash points: one round with everything in it, disturbed once at each of its IO calls, and always the same end."""
