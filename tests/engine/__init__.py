"""The whole engine under one seeded scheduler: product, simulators, stores' twins and people in one process, one clock, one thread.

scheduler    an event loop whose time is virtual and whose choices are drawn from a seed
weather      what may happen to a call: latency, lost and late answers, throttling, a process that freezes or dies
plant        worker processes, their queue and their timer, on a tenant under that weather
people       what people do on both sides, and a ledger of what they typed
judge        whether what is left is right, from the simulators, the tables and the ledger alone
histories    a seed becomes a history; a failing one is replayed and shrunk
"""
