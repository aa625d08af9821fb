"""The sandbox refuses what the services refuse, and fails when it is asked to."""
