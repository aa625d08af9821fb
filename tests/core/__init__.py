"""The pure core, examined without any world around it."""
