"""What the product remembers, in Azure Table Storage: the only code that speaks to tables.

A store is a small class over the Protocol `sync.ports.Tables`; it knows its table's keys and columns and nothing of connectors, runs or
decisions. Every table can be read in Storage Explorer: one row per thing, plain columns, described in `docs/tables.md`.
"""

TABLES = (
    "SyncState",
    "SyncUsers",
    "SyncProfiles",
    "SyncErrors",
    "SyncConflicts",
    "SyncApprovals",
    "SyncRuns",
    "SyncJournal",
    "SyncClaims",
)
"""Every table of the product; the planner makes those that are missing."""
