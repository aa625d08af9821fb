"""The Functions surface: what the platform sees of the product, through the host over HTTP, real queues and real tables."""
