"""The stand-in for the Functions host keeps the real host's rules."""
