"""The records, with undo, indexes, and commits that become visible late.

Why this file exists: everything that changes a record goes through `put` and `purge`, so that a rollback, the unique
indexes and the history of a late commit cannot be forgotten. It knows no user, no rule, no request.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from typing import Any

Values = dict[str, Any]
"""A record: field name -> JSON value. Never changed in place: `put` replaces it."""


class Store:
    """Records by object and id. `unique` and `indexed` name (object, field) pairs; True means: with regard to case."""

    def __init__(self, unique: Mapping[tuple[str, str], bool], indexed: Iterable[tuple[str, str]]) -> None:
        self._rows: dict[str, dict[str, Values]] = {}
        self._unique = dict(unique)
        self._owners: dict[tuple[str, str], dict[str, str]] = {key: {} for key in self._unique}
        self._indexed: dict[tuple[str, str], dict[str, dict[str, None]]] = {key: {} for key in indexed}
        self._by_stamp: dict[str, list[tuple[str, str]]] = {}
        self._undo: list[tuple[str, str, Values | None]] = []
        self._depth = 0
        self._late: list[tuple[str, int, str, str, Values]] = []
        self._locked: dict[str, int] = {}
        self._sequence = 0

    def rows(self, object_name: str) -> dict[str, Values]:
        """All committed rows of an object by id, deleted ones included; not to be changed."""
        return self._rows.setdefault(object_name, {})

    def get(self, object_name: str, row_id: str) -> Values | None:
        return self._rows.get(object_name, {}).get(row_id)

    def holder(self, object_name: str, field: str, value: str) -> str | None:
        """The id of the live record that holds a value of a unique field."""
        return self._owners[(object_name, field)].get(self._key(object_name, field, value))

    def unique_fields(self, object_name: str) -> list[str]:
        return [field for name, field in self._unique if name == object_name]

    def pointing_at(self, object_name: str, field: str, target: str) -> list[str]:
        """Ids of the rows whose indexed field holds `target`, oldest first."""
        return list(self._indexed[(object_name, field)].get(target, ()))

    def since(self, object_name: str, stamp: str) -> list[Values]:
        """Rows whose SystemModstamp is `stamp` or later, by stamp and id: the work is proportional to what is found."""
        entries = self._by_stamp.get(object_name, [])
        rows = self.rows(object_name)
        return [rows[row_id] for _, row_id in entries[bisect_left(entries, (stamp, "")) :]]

    def put(self, object_name: str, row_id: str, values: Values) -> None:
        """Insert or replace a row."""
        before = self.get(object_name, row_id)
        if self._depth:
            self._undo.append((object_name, row_id, before))
        self._set(object_name, row_id, before, values)

    def purge(self, object_name: str, row_id: str) -> None:
        """Make a row vanish without a trace."""
        before = self.get(object_name, row_id)
        if self._depth:
            self._undo.append((object_name, row_id, before))
        self._set(object_name, row_id, before, None)

    def begin(self) -> int:
        """Start to remember how to undo; nests. Returns the mark for `end`."""
        self._depth += 1
        return len(self._undo)

    def end(self, mark: int, *, undo: bool) -> None:
        """Keep, or take back, everything since `begin` returned `mark`."""
        if undo:
            while len(self._undo) > mark:
                object_name, row_id, before = self._undo.pop()
                self._set(object_name, row_id, self.get(object_name, row_id), before)
        self._depth -= 1
        if not self._depth:
            self._undo.clear()

    def put_late(self, object_name: str, row_id: str, changes: Values, visible_at: str) -> None:
        """Commit `changes` when the time (as in a datetime field) has come; until then the row is locked."""
        self._sequence += 1
        heapq.heappush(self._late, (visible_at, self._sequence, object_name, row_id, changes))
        self._locked[row_id] = self._locked.get(row_id, 0) + 1

    def is_locked(self, row_id: str) -> bool:
        """Whether a transaction that has not committed yet holds the row."""
        return row_id in self._locked

    def settle(self, now: str) -> None:
        """Commit what is due."""
        while self._late and self._late[0][0] <= now:
            _, _, object_name, row_id, changes = heapq.heappop(self._late)
            self._locked[row_id] -= 1
            if not self._locked[row_id]:
                del self._locked[row_id]
            before = self.get(object_name, row_id)
            if before is not None or "Id" in changes:  # a purged row stays purged
                self._set(object_name, row_id, before, {**(before or {}), **changes})

    def add_unique(self, object_name: str, field: str, case_sensitive: bool) -> None:
        """Index a field that an administrator adds to a running org."""
        self._unique[(object_name, field)] = case_sensitive
        self._owners[(object_name, field)] = {}

    def _key(self, object_name: str, field: str, value: str) -> str:
        return value if self._unique[(object_name, field)] else value.lower()

    def _set(self, object_name: str, row_id: str, before: Values | None, after: Values | None) -> None:
        for (name, field), owners in self._owners.items():
            if name != object_name:
                continue
            if before is not None and before.get(field) is not None:
                key = self._key(name, field, before[field])
                if owners.get(key) == row_id:
                    del owners[key]
            if after is not None and after.get(field) is not None and not after.get("IsDeleted"):
                owners[self._key(name, field, after[field])] = row_id
        for (name, field), index in self._indexed.items():
            if name != object_name:
                continue
            if before is not None and before.get(field) is not None:
                index.get(before[field], {}).pop(row_id, None)
            if after is not None and after.get(field) is not None:
                index.setdefault(after[field], {})[row_id] = None
        self._move_stamp(object_name, row_id, (before or {}).get("SystemModstamp"), (after or {}).get("SystemModstamp"))
        rows = self.rows(object_name)
        if after is None:
            rows.pop(row_id, None)
        else:
            rows[row_id] = after

    def _move_stamp(self, object_name: str, row_id: str, before: str | None, after: str | None) -> None:
        entries = self._by_stamp.setdefault(object_name, [])
        if before == after:
            return
        if before is not None:
            del entries[bisect_left(entries, (before, row_id))]
        if after is not None:
            insort(entries, (after, row_id))
