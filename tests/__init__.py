"""The proof; it mirrors the layout of what it tests."""
