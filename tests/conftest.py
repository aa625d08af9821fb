"""What every test may ask for."""

from tests.storage import azurite, storage

__all__ = ["azurite", "storage"]
