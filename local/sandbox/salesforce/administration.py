"""The hands on the org: administrators, what people have at their disposal, and what a test may look at.

Why this file exists: everything a test or a control plane does to the org outside of requests, with JSON values only
(functions where a rule may be one). It knows no request.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from local.sandbox.http import Clock
from local.sandbox.salesforce.access import FieldAccess, Operation, OrgWide, Permissions, ShareLevel
from local.sandbox.salesforce.kinds import RULES, external_key
from local.sandbox.salesforce.oauth import SignIn
from local.sandbox.salesforce.org import Org
from local.sandbox.salesforce.people import Person
from local.sandbox.salesforce.records import canonical_id
from local.sandbox.salesforce.rules import DuplicateRule, Operator, RowFault, RowOp, Trigger, TriggerPreset, ValidationRule
from local.sandbox.salesforce.schema import Field, FieldType, custom_field
from local.sandbox.salesforce.times import to_stamp


class Administration:
    """All that can be done to an org from outside; `SalesforceSandbox` adds the service itself."""

    clock: Clock
    org: Org
    sign_in: SignIn
    _system: str

    def settle(self) -> None:
        """Commit what was to become visible by now; `handle` and every reading method do it by themselves."""
        self.org.store.settle(to_stamp(self.clock.now()))

    # -- people and their rights ---------------------------------------------------------------------------------------

    def add_consumer(self, key: str, public_key: str) -> None:
        """Register a connected app: consumer key and the public key (PEM) that its assertions are verified with."""
        self.sign_in.consumers[key] = public_key

    def add_user(
        self,
        username: str,
        *,
        first_name: str | None = None,
        last_name: str = "User",
        email: str | None = None,
        federation_identifier: str | None = None,
        active: bool = True,
        preauthorized: bool = True,
        view_all: Sequence[str] = (),
        modify_all: Sequence[str] = (),
    ) -> str:
        """A user's id. `view_all`/`modify_all`: objects, or `*`. Raises ValueError when the username is taken."""
        if any(row["Username"].lower() == username.lower() for row in self.org.store.rows("User").values()):
            raise ValueError(f"username {username} is taken")
        user_id = self.org.mint.mint("005")
        stamp = to_stamp(self.clock.now())
        values: dict[str, Any] = {
            "Id": user_id,
            "Username": username,
            "FirstName": first_name,
            "LastName": last_name,
            "Email": email or username,
            "FederationIdentifier": federation_identifier,
            "IsActive": active,
            "Alias": username[:8],
            "CommunityNickname": username[:40],
            "TimeZoneSidKey": "UTC",
            "LocaleSidKey": "en_US",
            "LanguageLocaleKey": "en_US",
            "EmailEncodingKey": "UTF-8",
            "UserType": "Standard",
            "CreatedDate": stamp,
            "CreatedById": user_id,
            "LastModifiedDate": stamp,
            "LastModifiedById": user_id,
            "SystemModstamp": stamp,
        }
        RULES["User"].derive(self.org.objects["user"], values)
        self.org.access.users[user_id] = Permissions(view_all=set(view_all), modify_all=set(modify_all), preauthorized=preauthorized)
        self.org.store.put("User", user_id, values)
        return user_id

    def user_id(self, username: str) -> str:
        """By username, or an id given back. Raises KeyError."""
        rows = self.org.store.rows("User")
        if username in rows:
            return username
        found = next((row["Id"] for row in rows.values() if row["Username"].lower() == username.lower()), None)
        if found is None:
            raise KeyError(username)
        return str(found)

    def set_user(self, username: str, fields: Mapping[str, Any]) -> None:
        """Change a user's fields (IsActive, Email, FederationIdentifier, ...) as an administrator."""
        self.system.update(self.user_id(username), fields)

    def set_permissions(
        self,
        username: str,
        *,
        view_all: Sequence[str] | None = None,
        modify_all: Sequence[str] | None = None,
        preauthorized: bool | None = None,
        api_enabled: bool | None = None,
        high_assurance: bool | None = None,
    ) -> None:
        """Change what is given; `high_assurance` answers every call 401 with a code that no new token cures."""
        permissions = self.org.access.users[self.user_id(username)]
        if view_all is not None:
            permissions.view_all = set(view_all)
        if modify_all is not None:
            permissions.modify_all = set(modify_all)
        permissions.preauthorized = permissions.preauthorized if preauthorized is None else preauthorized
        permissions.api_enabled = permissions.api_enabled if api_enabled is None else api_enabled
        permissions.high_assurance = permissions.high_assurance if high_assurance is None else high_assurance

    def set_object_permission(self, username: str, object_name: str, operation: str, granted: bool) -> None:
        """`operation`: read | create | edit | delete. Without read the object does not exist for the user."""
        denied = self.org.access.users[self.user_id(username)].denied.setdefault(self._kind(object_name), set())
        (denied.discard if granted else denied.add)(Operation(operation))
        self._schema_changed()

    def set_fls(self, username: str, object_name: str, field: str, access: str) -> None:
        """Field-level security: hidden | readonly | full.

        Raises ValueError for a field that has none (LastName, OwnerId, ...: see `permissionable` in describe).
        """
        found = self.org.objects[object_name.lower()].field(field)
        if found is None or not found.permissionable:
            raise ValueError(f"{object_name}.{field} has no field-level security")
        self.org.access.users[self.user_id(username)].fields[(self._kind(object_name), found.name)] = FieldAccess(access)
        self._schema_changed()

    def set_org_wide(self, object_name: str, default: str) -> None:
        """private | read | read_write | controlled_by_parent."""
        self.org.access.org_wide[self._kind(object_name)] = OrgWide(default)

    def share(self, record: str, username: str, level: str = "read") -> None:
        """An explicit share: read | edit. It does not bump the record's stamp, and never reaches a private contact."""
        self.org.access.shares.setdefault(canonical_id(record), {})[self.user_id(username)] = ShareLevel(level)

    def unshare(self, record: str, username: str) -> None:
        """Take an explicit share back."""
        self.org.access.shares.get(canonical_id(record), {}).pop(self.user_id(username), None)

    def add_team_member(self, account: str, username: str) -> None:
        """For USING SCOPE team."""
        self.org.access.team.setdefault(canonical_id(account), set()).add(self.user_id(username))

    def expire_sessions(self, username: str | None = None) -> None:
        """End all sessions, or one user's: the next call answers 401 INVALID_SESSION_ID."""
        user_id = self.user_id(username) if username else None
        ended = [token for token, session in self.sign_in.sessions.items() if user_id in (None, session.user_id)]
        for token in ended:
            del self.sign_in.sessions[token]

    # -- schema and rules ----------------------------------------------------------------------------------------------

    def add_field(self, object_name: str, field: str | Mapping[str, Any] | Field) -> None:
        """Add a custom field (as in `custom_fields` of the constructor) to the running org."""
        added = field_of(field)
        kind = self.org.objects[object_name.lower()]
        self.org.objects[object_name.lower()] = kind.with_fields(added)
        if added.unique:
            self.org.store.add_unique(kind.name, added.name, added.case_sensitive)
        self._schema_changed()

    def add_validation_rule(
        self,
        object_name: str,
        message: str,
        *,
        field: str | None = None,
        operator: str | None = None,
        value: Any = None,
        test: Callable[[Mapping[str, Any]], bool] | None = None,
    ) -> None:
        """Refuse a record for which the comparison (or `test`) is true, with `message`, blaming `field`."""
        rule = ValidationRule(
            object=self._kind(object_name),
            message=message,
            field=field,
            operator=Operator(operator) if operator else None,
            value=value,
            test=test,
        )
        self.org.rules.validation.append(rule)

    def add_duplicate_rule(self, object_name: str, fields: Sequence[str] = ("Email",), *, block: bool = False) -> None:
        """Records equal in all `fields` are duplicates: alert, or block."""
        self.org.rules.duplicates.append(DuplicateRule(object=self._kind(object_name), fields=tuple(fields), block=block))

    def add_trigger(
        self,
        object_name: str,
        preset: str | None = None,
        *,
        field: str = "Title",
        text: str = " *",
        repeat: bool = False,
        rewrite: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        """Rewrite what is saved: format_phone | append_suffix | uppercase_lastname, or a function over the record."""
        trigger = Trigger(
            object=self._kind(object_name),
            preset=TriggerPreset(preset) if preset else None,
            field=field,
            text=text,
            repeat=repeat,
            rewrite=rewrite,
        )
        self.org.rules.triggers.append(trigger)

    def add_row_fault(
        self,
        code: str,
        *,
        message: str = "",
        object_name: str | None = None,
        op: str | None = None,
        match: Mapping[str, Any] | None = None,
        fields: Sequence[str] = (),
        times: int | None = 1,
        skip: int = 0,
    ) -> RowFault:
        """The next `times` (None: all) API writes of matching rows fail with `code`, after `skip` were let through.

        `match` compares the row as it would be after the write. Returns the fault; `times = 0` ends it.
        """
        fault = RowFault(
            code=code,
            message=message,
            object=self._kind(object_name) if object_name else None,
            op=RowOp(op) if op else None,
            match=dict(match or {}),
            fields=tuple(fields),
            times=times,
            skip=skip,
        )
        self.org.rules.row_faults.append(fault)
        return fault

    def set_assignment_rule(self, object_name: str, username: str | None) -> None:
        """Writes without `Sforce-Auto-Assign: FALSE` give the record to this user; None ends it."""
        if username is None:
            self.org.rules.assignment.pop(self._kind(object_name), None)
        else:
            self.org.rules.assignment[self._kind(object_name)] = self.user_id(username)

    def clear_rules(self) -> None:
        """Remove all validation rules, duplicate rules, triggers, row faults and assignment rules."""
        rules = self.org.rules
        for rule_list in (rules.validation, rules.duplicates, rules.triggers, rules.row_faults):
            rule_list.clear()
        rules.assignment.clear()

    # -- records -------------------------------------------------------------------------------------------------------

    def as_user(self, username: str) -> Person:
        """A person at the browser, under their own rights. Raises KeyError."""
        return Person(self.org, self.user_id(username))

    @property
    def system(self) -> Person:
        """An administrator who may do everything."""
        return Person(self.org, self._system)

    def records(self, object_name: str, *, deleted: bool = False) -> list[dict[str, Any]]:
        """All records regardless of sharing; the recycle bin too when `deleted`."""
        self.settle()
        rows = self.org.store.rows(self._kind(object_name)).values()
        return [dict(row) for row in rows if deleted or not row.get("IsDeleted")]

    def record(self, record: str) -> dict[str, Any] | None:
        """One record by id, deleted or not; None when there is none (any more)."""
        self.settle()
        row_id = canonical_id(record)
        kind = next((each for each in self.org.objects.values() if each.prefix == row_id[:3]), None)
        row = self.org.store.get(kind.name, row_id) if kind else None
        return dict(row) if row is not None else None

    def purge(self, record: str) -> None:
        """Make a record vanish for good."""
        self.system.purge(record)

    def empty_recycle_bin(self, older_than_days: float = 15.0) -> list[str]:
        """Purge what was deleted that long ago, as the service does after 15 days (or sooner, when the bin is full); returns ids."""
        limit = to_stamp(self.clock.now() - timedelta(days=older_than_days))
        gone = [
            row["Id"]
            for kind in self.org.objects.values()
            for row in self.records(kind.name, deleted=True)
            if row.get("IsDeleted") and row["SystemModstamp"] <= limit
        ]
        for row_id in gone:
            self.purge(row_id)
        return gone

    def touch(self, record: str) -> None:
        """An automated process bumps SystemModstamp, and LastModifiedDate not."""
        self.settle()
        row_id = canonical_id(record)
        self.org.records.touch(next(each.name for each in self.org.objects.values() if each.prefix == row_id[:3]), row_id)

    def _kind(self, object_name: str) -> str:
        return self.org.objects[object_name.lower()].name

    def _schema_changed(self) -> None:
        self.org.access.forget_views()
        self.org.schema_changed = self.clock.now()


def field_of(given: str | Mapping[str, Any] | Field) -> Field:
    """A custom field as the constructor and `add_field` take it."""
    if isinstance(given, Field):
        return given
    if isinstance(given, str):
        return external_key(given)
    arguments = dict(given)
    return custom_field(arguments.pop("name"), str(FieldType(arguments.pop("type", "string"))), **arguments)
