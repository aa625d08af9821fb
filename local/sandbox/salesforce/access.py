"""Who may see and change what: permissions, field-level security, sharing.

Why this file exists: every read and write of the API asks here, so that no path forgets a rule. It knows no request.
Source: Salesforce Help, "Control Who Sees What"; "Considerations for Sharing Contacts" (a contact without an account
is private); "Implicit sharing" (who sees a contact sees its account).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from local.sandbox.salesforce.kinds import RULES, ObjectRules
from local.sandbox.salesforce.schema import Field, ObjectType
from local.sandbox.salesforce.store import Store


class OrgWide(StrEnum):
    """The organization-wide default of an object."""

    PRIVATE = "private"
    PUBLIC_READ = "read"
    PUBLIC_READ_WRITE = "read_write"
    CONTROLLED_BY_PARENT = "controlled_by_parent"


class FieldAccess(StrEnum):
    """Field-level security of one user on one field."""

    FULL = "full"
    READONLY = "readonly"
    HIDDEN = "hidden"


class ShareLevel(StrEnum):
    """What an explicit share grants."""

    READ = "read"
    EDIT = "edit"


class Operation(StrEnum):
    """An object permission; reading is a permission too."""

    READ = "read"
    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"


_DEFAULT_ACCESS = ObjectRules()


@dataclass(slots=True, kw_only=True)
class Permissions:
    """What one user was given. `view_all` and `modify_all` name objects, or `*` for the whole data."""

    view_all: set[str] = field(default_factory=set)
    modify_all: set[str] = field(default_factory=set)
    denied: dict[str, set[Operation]] = field(default_factory=dict)
    fields: dict[tuple[str, str], FieldAccess] = field(default_factory=dict)
    preauthorized: bool = True
    api_enabled: bool = True
    high_assurance: bool = False


class Access:
    """Answers for one org. User ids are 18 characters."""

    def __init__(self, store: Store, objects: dict[str, ObjectType], org_wide: Mapping[str, OrgWide]) -> None:
        self._store = store
        self._objects = objects
        self.org_wide = dict(org_wide)
        self.users: dict[str, Permissions] = {}
        self.shares: dict[str, dict[str, ShareLevel]] = {}
        self.team: dict[str, set[str]] = {}
        self._views: dict[tuple[str, str], ObjectType] = {}

    def forget_views(self) -> None:
        """To be called after any change of objects or field security."""
        self._views.clear()

    def view(self, user_id: str, name: str) -> ObjectType | None:
        """The object as this user may see it (hidden fields left out, read-only ones marked), None when not at all."""
        key = (user_id, name.lower())
        if key not in self._views:
            kind = self._objects.get(name.lower())
            if kind is None or Operation.READ in self.users[user_id].denied.get(kind.name, ()):
                return None
            self._views[key] = self._narrow(kind, self.users[user_id])
        return self._views[key]

    def _narrow(self, kind: ObjectType, permissions: Permissions) -> ObjectType:
        fields: dict[str, Field] = {}
        denied = permissions.denied.get(kind.name, set())
        for key, each in kind.fields.items():
            access = permissions.fields.get((kind.name, each.name), FieldAccess.FULL)
            if access is FieldAccess.HIDDEN:
                continue
            writable = access is FieldAccess.FULL
            createable = each.createable and writable and Operation.CREATE not in denied
            updateable = each.updateable and writable and Operation.EDIT not in denied
            fields[key] = (
                each
                if (createable, updateable) == (each.createable, each.updateable)
                else replace(each, createable=createable, updateable=updateable)
            )
        return replace(
            kind,
            fields=fields,
            createable=kind.createable and Operation.CREATE not in denied,
            deletable=kind.deletable and Operation.DELETE not in denied,
        )

    def may(self, user_id: str, operation: Operation, object_name: str) -> bool:
        """Whether the user has the object permission at all."""
        return operation not in self.users[user_id].denied.get(object_name, ())

    def _everything(self, user_id: str, object_name: str, *, modify: bool) -> bool:
        permissions = self.users[user_id]
        granted = permissions.modify_all if modify else permissions.modify_all | permissions.view_all
        return object_name in granted or "*" in granted

    def can_read(self, user_id: str, object_name: str, row: Mapping[str, Any]) -> bool:
        """Whether sharing lets the user see the record (deleted or not)."""
        if not self.may(user_id, Operation.READ, object_name):
            return False
        if row.get("OwnerId") == user_id or "OwnerId" not in row or self._everything(user_id, object_name, modify=False):
            return True
        if RULES.get(object_name, _DEFAULT_ACCESS).visible_to_owner_only(row):
            return False
        default = self.org_wide.get(object_name, OrgWide.PRIVATE)
        if default in (OrgWide.PUBLIC_READ, OrgWide.PUBLIC_READ_WRITE):
            return True
        if user_id in self.shares.get(row["Id"], ()):
            return True
        if default is OrgWide.CONTROLLED_BY_PARENT:
            return self._parent(user_id, row, edit=False)
        return object_name == "Account" and self._sees_a_contact_of(user_id, row["Id"])

    def can_edit(self, user_id: str, object_name: str, row: Mapping[str, Any]) -> bool:
        """Whether sharing lets the user change the record."""
        if not self.may(user_id, Operation.EDIT, object_name):
            return False
        if row.get("OwnerId") == user_id or self._everything(user_id, object_name, modify=True):
            return True
        if "OwnerId" not in row or RULES.get(object_name, _DEFAULT_ACCESS).visible_to_owner_only(row):
            return False
        default = self.org_wide.get(object_name, OrgWide.PRIVATE)
        if default is OrgWide.PUBLIC_READ_WRITE or self.shares.get(row["Id"], {}).get(user_id) is ShareLevel.EDIT:
            return True
        return default is OrgWide.CONTROLLED_BY_PARENT and self._parent(user_id, row, edit=True)

    def can_delete(self, user_id: str, object_name: str, row: Mapping[str, Any]) -> bool:
        """Deleting takes ownership or Modify All, whatever is shared."""
        if not self.may(user_id, Operation.DELETE, object_name):
            return False
        if self._everything(user_id, object_name, modify=True) or row.get("OwnerId") == user_id:
            return True
        controlled = self.org_wide.get(object_name) is OrgWide.CONTROLLED_BY_PARENT
        return controlled and row.get("AccountId") is not None and self._parent(user_id, row, edit=True)

    def _parent(self, user_id: str, row: Mapping[str, Any], *, edit: bool) -> bool:
        account = self._store.get("Account", row.get("AccountId") or "")
        if account is None:
            return False
        return self.can_edit(user_id, "Account", account) if edit else self.can_read(user_id, "Account", account)

    def _sees_a_contact_of(self, user_id: str, account_id: str) -> bool:
        if self.org_wide.get("Contact") is OrgWide.CONTROLLED_BY_PARENT:
            return False
        contacts = (self._store.rows("Contact")[each] for each in self._store.pointing_at("Contact", "AccountId", account_id))
        return any(self.can_read(user_id, "Contact", contact) for contact in contacts if not contact.get("IsDeleted"))

    def in_scope(self, user_id: str, scope: str, row: Mapping[str, Any]) -> bool:
        """Whether the record belongs to `USING SCOPE` for this user."""
        if scope in ("mine", "user_owned"):
            return row.get("OwnerId") == user_id
        if scope == "team":
            return user_id in self.team.get(row.get("AccountId") or row["Id"], ())
        return scope != "queue_owned"
