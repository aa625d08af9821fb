"""A stand-in for the Azure Functions host and Core Tools, which can not run offline.

It reads triggers and bindings from `function_app.py` as the Python worker does, and keeps the host's rules for queues,
timers, HTTP routes and the admin endpoints. It knows nothing of what the app does, nor of the sandbox.
"""
