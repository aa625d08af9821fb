"""The product: what reads, decides, writes and records."""
