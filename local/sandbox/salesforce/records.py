"""Writing records: one road for the API and for people.

Why this file exists: permissions, checks, triggers, rules, stamps and the journal apply in the platform's order to
everybody who writes, so a person's edit and a client's differ in nothing but their name. It knows no HTTP.
Source: Apex Developer Guide, "Triggers and Order of Execution"; Object Reference, "System Fields".
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from local.sandbox.salesforce.access import Access
from local.sandbox.salesforce.checks import check_required, check_values, deserialize, normalize
from local.sandbox.salesforce.errors import Code, Problem, Refusal, refuse
from local.sandbox.salesforce.ids import IdMint, to_18
from local.sandbox.salesforce.journal import Actor, Caller, Write
from local.sandbox.salesforce.kinds import RULES, ObjectRules, person_contact_fields, spell_out_codes
from local.sandbox.salesforce.references import Scope, check_references, resolve_external
from local.sandbox.salesforce.rules import RowOp, Rules
from local.sandbox.salesforce.schema import FieldType, ObjectType
from local.sandbox.salesforce.store import Store, Values
from local.sandbox.salesforce.times import to_stamp

_NO_RULES = ObjectRules()


class Records:
    """All writing into one org's store. Every method raises Refusal."""

    def __init__(
        self,
        store: Store,
        access: Access,
        objects: Mapping[str, ObjectType],
        mint: IdMint,
        rules: Rules,
        now: Callable[[], datetime],
        *,
        crlf: bool,
    ) -> None:
        self._store = store
        self._access = access
        self._objects = objects
        self._mint = mint
        self._rules = rules
        self._now = now
        self._crlf = crlf
        self._scope = Scope(store=store, access=access, objects=objects)
        self.writes: list[Write] = []

    def create(self, caller: Caller, object_name: str, payload: Mapping[str, Any], *, visible_after: float = 0.0) -> str:
        """The new id. `visible_after` in seconds: the row is stamped now and committed then."""
        kind = self._scope.view(caller, object_name)
        written = deserialize(kind, payload, creating=True)
        if not kind.createable:
            raise refuse(
                400, Code.INSUFFICIENT_ACCESS_OR_READONLY, f"entity type {kind.name} does not support create, or access is insufficient"
            )
        row_id = self._mint.mint(kind.prefix)
        values: Values = {"Id": row_id}
        for field in self._objects[kind.name.lower()].fields.values():
            if field.default is not None and field.type is not FieldType.ADDRESS:
                values[field.name] = field.default
        if kind.has_owner:
            values["OwnerId"] = self._rules.assignment.get(kind.name, caller.user_id) if caller.auto_assign else caller.user_id
        stamps = self._stamps(caller)
        values |= stamps | {"CreatedDate": stamps["LastModifiedDate"], "CreatedById": caller.user_id}
        self._save(caller, kind, RowOp.CREATE, None, values, written, visible_after)
        return row_id

    def update(self, caller: Caller, object_name: str, row_id: str, payload: Mapping[str, Any], *, visible_after: float = 0.0) -> None:
        """Change a row the caller can see and edit."""
        kind = self._scope.view(caller, object_name)
        written = deserialize(kind, payload, creating=False)
        before = self.editable(caller, kind, row_id)
        values = before | self._stamps(caller)
        if caller.auto_assign and kind.name in self._rules.assignment:
            values["OwnerId"] = self._rules.assignment[kind.name]
        self._save(caller, kind, RowOp.UPDATE, before, values, written, visible_after)

    def delete(self, caller: Caller, row_id: str, *, object_name: str | None = None, visible_after: float = 0.0) -> None:
        """Into the recycle bin; an account takes its contacts along."""
        kind = self.kind_of(caller, row_id, object_name)
        row = self.writable(caller, kind, row_id)
        if not kind.deletable or not self._access.can_delete(caller.user_id, kind.name, row):
            raise refuse(400, Code.INSUFFICIENT_ACCESS_OR_READONLY, "insufficient access rights on object id")
        self._strike(caller, RowOp.DELETE, kind.name, row)
        if kind.name == "Account":
            for contact_id in self._store.pointing_at("Contact", "AccountId", row["Id"]):
                contact = self._store.rows("Contact")[contact_id]
                if not contact.get("IsDeleted"):
                    self._commit(
                        caller, RowOp.DELETE, "Contact", contact, contact | self._stamps(caller) | {"IsDeleted": True}, visible_after
                    )
        self._commit(caller, RowOp.DELETE, kind.name, row, row | self._stamps(caller) | {"IsDeleted": True}, visible_after)

    def undelete(self, caller: Caller, row_id: str) -> None:
        """Out of the recycle bin; an account brings back the contacts that were deleted with it."""
        kind = self.kind_of(caller, row_id, None)
        row = self._store.get(kind.name, row_id)
        if row is None or not row.get("IsDeleted") or not self._access.can_read(caller.user_id, kind.name, row):
            raise refuse(400, Code.INVALID_ID_FIELD, "invalid record id; no recycle bin entry found")
        self._check_unique(kind, row)
        if kind.name == "Account":
            for contact_id in self._store.pointing_at("Contact", "AccountId", row["Id"]):
                contact = self._store.rows("Contact")[contact_id]
                if contact.get("IsDeleted") and contact["SystemModstamp"] == row["SystemModstamp"] and not contact.get("MasterRecordId"):
                    self._commit(caller, RowOp.UNDELETE, "Contact", contact, contact | self._stamps(caller) | {"IsDeleted": False}, 0.0)
        self._commit(caller, RowOp.UNDELETE, kind.name, row, row | self._stamps(caller) | {"IsDeleted": False, "MasterRecordId": None}, 0.0)

    def merge(self, caller: Caller, master_id: str, loser_ids: Sequence[str], fields: Mapping[str, Any]) -> None:
        """Losers (at most two) are deleted and name the master; their children and the chosen `fields` go to the master."""
        kind = self.kind_of(caller, master_id, None)
        if not kind.mergeable or not 1 <= len(loser_ids) <= 2 or master_id in loser_ids:
            raise refuse(400, Code.BAD_REQUEST, "merge takes a master and one or two other records of a mergeable object")
        self.editable(caller, kind, master_id)
        losers = [self.writable(caller, kind, loser_id) for loser_id in loser_ids]
        for loser in losers:
            if not self._access.can_delete(caller.user_id, kind.name, loser):
                raise refuse(400, Code.INSUFFICIENT_ACCESS_OR_READONLY, "insufficient access rights on object id")
        mark, written = self._store.begin(), len(self.writes)
        try:
            for loser in losers:
                gone = loser | self._stamps(caller) | {"IsDeleted": True, "MasterRecordId": master_id}
                self._commit(caller, RowOp.MERGE, kind.name, loser, gone, 0.0)
                if kind.name == "Account":
                    for contact_id in self._store.pointing_at("Contact", "AccountId", loser["Id"]):
                        contact = self._store.rows("Contact")[contact_id]
                        self._commit(
                            caller, RowOp.MERGE, "Contact", contact, contact | self._stamps(caller) | {"AccountId": master_id}, 0.0
                        )
            self.update(caller, kind.name, master_id, fields)
        except Refusal:
            self._store.end(mark, undo=True)
            del self.writes[written:]
            raise
        self._store.end(mark, undo=False)

    def purge(self, caller: Caller, row_id: str) -> None:
        """Make a record vanish for good, from wherever it is."""
        kind = self.kind_of(caller, row_id, None)
        row = self._store.get(kind.name, row_id)
        if row is None:
            raise refuse(404, Code.NOT_FOUND, "The requested resource does not exist")
        self._journal(caller, RowOp.PURGE, kind.name, row_id, row, {}, to_stamp(self._now()))
        self._store.purge(kind.name, row_id)

    def touch(self, object_name: str, row_id: str) -> None:
        """An automated process bumps SystemModstamp and nothing else."""
        row = self._store.rows(object_name)[row_id]
        self._store.put(object_name, row_id, row | {"SystemModstamp": to_stamp(self._now())})

    def set_computed(self, caller: Caller, object_name: str, row_id: str, fields: Mapping[str, Any]) -> None:
        """Set fields that only the platform sets (conversion, activity dates), with stamps and journal."""
        row = self._store.rows(object_name)[row_id]
        self._commit(caller, RowOp.UPDATE, object_name, row, row | self._stamps(caller) | dict(fields), 0.0)

    def kind_of(self, caller: Caller, row_id: str, object_name: str | None) -> ObjectType:
        """The object an id belongs to, as the caller sees it."""
        kind = next((each for each in self._objects.values() if each.prefix == row_id[:3]), None)
        if kind is None or (object_name is not None and kind.name != object_name):
            raise refuse(404, Code.INVALID_CROSS_REFERENCE_KEY, "invalid cross reference id")
        return self._scope.view(caller, kind.name)

    def writable(self, caller: Caller, kind: ObjectType, row_id: str) -> Values:
        """The row, if it is there for this caller. A record that is not shared cannot be told from one that is not."""
        row = self._store.get(kind.name, row_id)
        if row is None or not self._access.can_read(caller.user_id, kind.name, row):
            raise refuse(404, Code.INVALID_CROSS_REFERENCE_KEY, "invalid cross reference id")
        if row.get("IsDeleted"):
            raise refuse(404, Code.ENTITY_IS_DELETED, "entity is deleted")
        if self._store.is_locked(row_id):
            raise refuse(400, Code.UNABLE_TO_LOCK_ROW, f"unable to obtain exclusive access to this record or 1 records: {row_id}")
        return row

    def editable(self, caller: Caller, kind: ObjectType, row_id: str) -> Values:
        row = self.writable(caller, kind, row_id)
        if not self._access.can_edit(caller.user_id, kind.name, row):
            raise refuse(400, Code.INSUFFICIENT_ACCESS_OR_READONLY, "insufficient access rights on object id")
        return row

    def _stamps(self, caller: Caller) -> Values:
        stamp = to_stamp(self._now())
        return {"SystemModstamp": stamp, "LastModifiedDate": stamp, "LastModifiedById": caller.user_id}

    def _save(
        self, caller: Caller, kind: ObjectType, op: RowOp, before: Values | None, values: Values, payload: Values, visible_after: float
    ) -> None:
        """The order of execution: system checks, triggers, system checks again, validation rules, duplicate rules, save."""
        full = self._objects[kind.name.lower()]
        rules = RULES.get(kind.name, _NO_RULES)
        written = normalize(kind, resolve_external(self._scope, caller, kind, payload), crlf=self._crlf)
        spell_out_codes(full, before, written)
        values |= written
        _raise(check_values(full, written))
        rules.derive(full, values)
        _raise(check_required(kind, values, creating=before is None, written=written))
        _raise(rules.reject(full, before, written, caller.actor is Actor.API))
        _raise(check_references(self._scope, caller, kind, before, written))
        self._strike(caller, op, kind.name, values)
        rewritten = dict(values)
        for trigger in self._rules.triggers:
            if trigger.object == kind.name:
                trigger.apply(full, rewritten)
        _raise(check_values(full, {name: value for name, value in rewritten.items() if value != values.get(name)}))
        values = rewritten
        rules.derive(full, values)
        _raise(
            [
                Problem(code=Code.FIELD_CUSTOM_VALIDATION_EXCEPTION, message=rule.message, fields=(rule.field,) if rule.field else ())
                for rule in self._rules.validation
                if rule.object == kind.name and rule.fires(values)
            ]
        )
        self._check_duplicates(caller, kind, before, values)
        self._check_unique(full, values)
        if before is not None and before.get("OwnerId") != values.get("OwnerId"):
            self._access.shares.pop(values["Id"], None)
        if values.get("IsPersonAccount") and kind.name == "Account":
            values.setdefault("PersonContactId", self._mint.mint("003"))
        self._commit(caller, op, kind.name, before, values, visible_after, set(written))
        if values.get("IsPersonAccount") and kind.name == "Account":
            self._mirror(caller, op, values, visible_after)

    def _mirror(self, caller: Caller, op: RowOp, account: Values, visible_after: float) -> None:
        """The contact of a person account follows it."""
        before = self._store.get("Contact", account["PersonContactId"])
        stamps = {name: account[name] for name in ("SystemModstamp", "LastModifiedDate", "LastModifiedById", "CreatedDate", "CreatedById")}
        contact = (before or {"IsDeleted": False, "IsEmailBounced": False}) | person_contact_fields(account) | stamps
        RULES["Contact"].derive(self._objects["contact"], contact)
        self._commit(caller, op, "Contact", before, contact, visible_after)

    def _strike(self, caller: Caller, op: RowOp, object_name: str, values: Mapping[str, Any]) -> None:
        if caller.actor is not Actor.API:
            return
        for fault in self._rules.row_faults:
            problem = fault.strikes(op, object_name, values)
            if problem is not None:
                raise Refusal(400, problem)

    def _check_duplicates(self, caller: Caller, kind: ObjectType, before: Values | None, values: Values) -> None:
        for rule in self._rules.duplicates:
            if rule.object != kind.name or (before is not None and rule.key(before) == rule.key(values)):
                continue
            if caller.allow_duplicates and not rule.block:
                continue
            matches = rule.find(self._store.rows(kind.name).values(), values)
            if matches:
                raise Refusal(400, rule.problem(matches, caller.url_root))

    def _check_unique(self, kind: ObjectType, values: Mapping[str, Any]) -> None:
        for name in self._store.unique_fields(kind.name):
            value = values.get(name)
            holder = self._store.holder(kind.name, name, value) if value is not None else None
            if holder is not None and holder != values["Id"]:
                text = f"duplicate value found: {name} duplicates value on record with id: {holder[:15]}"
                raise refuse(400, Code.DUPLICATE_VALUE, text)

    def _commit(
        self,
        caller: Caller,
        op: RowOp,
        object_name: str,
        before: Values | None,
        values: Values,
        visible_after: float,
        written: set[str] | None = None,
    ) -> None:
        changes = {name: value for name, value in values.items() if before is None or value != before.get(name)}
        visible_at = to_stamp(self._now() + timedelta(seconds=max(visible_after, 0.0)))
        fields = {name: values.get(name) for name in sorted((written or set()) | set(changes))}
        self._journal(caller, op, object_name, values["Id"], before, fields, visible_at)
        if visible_after <= 0:
            self._store.put(object_name, values["Id"], values)
        else:
            self._store.put_late(object_name, values["Id"], changes, visible_at)

    def _journal(
        self,
        caller: Caller,
        op: RowOp,
        object_name: str,
        row_id: str,
        before: Mapping[str, Any] | None,
        fields: Mapping[str, Any],
        visible_at: str,
    ) -> None:
        user = self._store.rows("User").get(caller.user_id, {}).get("Username", caller.user_id)
        self.writes.append(
            Write(
                time=to_stamp(self._now()),
                visible_at=visible_at,
                actor=caller.actor,
                user=user,
                op=op,
                object=object_name,
                id=row_id,
                fields=fields,
                before={name: (before or {}).get(name) for name in fields},
            )
        )


def _raise(problems: list[Problem]) -> None:
    if problems:
        raise Refusal(400, *problems)


def canonical_id(value: Any) -> str:
    """An id given in a request, with 18 characters. Raises Refusal with MALFORMED_ID."""
    row_id = to_18(value) if isinstance(value, str) else None
    if row_id is None:
        raise refuse(400, Code.MALFORMED_ID, f"bad id {value}")
    return row_id
