"""The stores, over tables in memory; what memory shares with the real service is proved in tests/contract."""
