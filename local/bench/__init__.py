"""The measure: what the product costs on the local stack, next to the same work done the straightforward way."""
