"""Clients nobody here wrote, against the sandbox as a process of its own, over TLS: what they object to, a service would never say."""
