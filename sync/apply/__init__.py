"""Carries out what the core decided, in bulk, under the protocol: intent before effect, effect, commit.

look      complete pairs by reading the sides that are not known, plan them, dispatch the plans; repeat for what changed meanwhile
salesforce, outlook, deletions    one effect each
recover   what an open intent of a dead run became
"""
