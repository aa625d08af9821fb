"""Preparing, starting and stopping everything that makes up the local stack."""
