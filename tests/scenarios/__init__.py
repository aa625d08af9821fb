"""Small stories: people act on both sides, rounds run, and what both sides and the tables hold at the end is compared."""
