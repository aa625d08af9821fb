"""Properties of the whole planner, and the settings that every property test runs under."""
