"""The mailbox's owner at work: what a person does in Outlook, unasked, while the sync runs.

Every argument and result is JSON, so that a control plane can call these methods over HTTP. Folders are named by id, by
`contacts`, or by their display name; contacts by either id. Nothing here counts as a request.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local.sandbox.graph.answers import instant_text, item_not_found
from local.sandbox.graph.contacts import photo_from_base64, write_contact
from local.sandbox.graph.folders import WELL_KNOWN, create_folder, delete_folder, rename_folder
from local.sandbox.graph.items import home_id
from local.sandbox.graph.journal import Actor
from local.sandbox.graph.schema import CONTACT, STAMPS_FIELD, email_slots, read_body
from local.sandbox.graph.store import Item, Kind, Mailbox

if TYPE_CHECKING:
    from local.sandbox.graph.sandbox import GraphSandbox


class People:
    """One person's hands on their own mailbox."""

    def __init__(self, sandbox: "GraphSandbox", box: Mailbox) -> None:
        self._sandbox = sandbox
        self._box = box

    # folders

    def folders(self) -> list[dict[str, Any]]:
        """Every contact folder, the default one first: id, parentFolderId, displayName."""
        return [self._folder_json(folder) for folder in self._box.of_kind(Kind.CONTACT_FOLDER)]

    def create_folder(self, name: str, parent: str = WELL_KNOWN) -> str:
        return create_folder(self._box, self._folder(parent), name, Actor.PERSON).immutable_id

    def rename_folder(self, folder: str, name: str) -> None:
        rename_folder(self._box, self._folder(folder), name, Actor.PERSON)

    def delete_folder(self, folder: str) -> None:
        delete_folder(self._box, self._folder(folder), Actor.PERSON)

    def has_folder(self, folder: str) -> bool:
        return self._folder_or_none(folder) is not None

    # contacts

    def contacts(self, folder: str | None = None) -> list[dict[str, Any]]:
        """All contacts of a folder, or of the mailbox, with immutable ids, every extended property and `hasPhoto`."""
        home = self._folder(folder) if folder is not None else None
        found = self._box.inside(home.key, Kind.CONTACT) if home else self._box.of_kind(Kind.CONTACT)
        return [self._contact_json(contact) for contact in found]

    def contact(self, contact_id: str) -> dict[str, Any]:
        return self._contact_json(self._contact(contact_id))

    def regular_id(self, contact_id: str) -> str:
        """The id that the service uses without `Prefer: IdType="ImmutableId"`."""
        return self._contact(contact_id).regular_id

    def create_contact(self, folder: str, values: Mapping[str, Any]) -> str:
        """A new contact in Graph's property names; returns its immutable id."""
        draft = read_body("contact", CONTACT, dict(values))
        return write_contact(self._box, self._folder(folder), None, draft, Actor.PERSON).immutable_id

    def edit_contact(self, contact_id: str, values: Mapping[str, Any]) -> None:
        draft = read_body("contact", CONTACT, dict(values))
        write_contact(self._box, self._box.default_folder, self._contact(contact_id), draft, Actor.PERSON)

    def delete_contact(self, contact_id: str) -> None:
        self._box.remove(self._contact(contact_id), Actor.PERSON)

    def restore_contact(self, contact_id: str, folder: str = WELL_KNOWN) -> None:
        """Takes it back from Deleted Items: the immutable id is the same, the other one is new."""
        self._box.restore(self._box.deleted_item(Kind.CONTACT, contact_id), self._folder(folder), Actor.PERSON)

    def move_contact(self, contact_id: str, folder: str) -> None:
        self._box.move(self._contact(contact_id), self._folder(folder), Actor.PERSON)

    def copy_contact(self, contact_id: str, folder: str) -> str:
        """A copy with everything, extended properties and photo too; returns the copy's immutable id."""
        contact = self._contact(contact_id)
        now = contact.now
        copy = self._box.create(Kind.CONTACT, self._folder(folder), now.values, now.stamps, Actor.PERSON, contact.photo)
        return copy.immutable_id

    def add_contact_list(self, folder: str) -> None:
        """A distribution list, which the service counts and never shows."""
        key = self._folder(folder).key
        self._box.contact_lists[key] = self._box.contact_lists.get(key, 0) + 1

    def set_photo(self, contact_id: str, content: str | None, content_type: str = "image/jpeg") -> None:
        """`content` is Base64; None removes the photo."""
        self._box.set_photo(self._contact(contact_id), photo_from_base64(content, content_type), Actor.PERSON)

    # the rest

    def categories(self) -> list[dict[str, str]]:
        return list(self._box.categories.values())

    def add_category(self, name: str, color: str = "none") -> None:
        category = {"id": self._sandbox.mint.guid(), "displayName": name, "color": color}
        self._box.categories[category["id"]] = category

    def delete_category(self, name: str) -> None:
        for key, category in list(self._box.categories.items()):
            if category["displayName"] == name:
                del self._box.categories[key]

    def occupy(self, connections: int) -> None:
        """Other clients of this app hold so many of the mailbox's connections; 0 lets go."""
        self._sandbox.budgets.occupied[self._box.user_id] = connections

    def _folder(self, folder: str) -> Item:
        found = self._folder_or_none(folder)
        if found is None:
            raise item_not_found()
        return found

    def _folder_or_none(self, folder: str) -> Item | None:
        if folder.lower() == WELL_KNOWN:
            return self._box.default_folder
        for item in self._box.of_kind(Kind.CONTACT_FOLDER):
            if folder in (item.immutable_id, item.now.values["displayName"]):
                return item
        return None

    def _contact(self, contact_id: str) -> Item:
        return self._box.find(Kind.CONTACT, contact_id)

    def _folder_json(self, folder: Item) -> dict[str, Any]:
        return {"id": folder.immutable_id, "parentFolderId": home_id(self._box, folder.now), **folder.now.values}

    def _contact_json(self, contact: Item) -> dict[str, Any]:
        now = contact.now
        return {
            "id": contact.immutable_id,
            "changeKey": now.change_key,
            "createdDateTime": instant_text(contact.created),
            "lastModifiedDateTime": instant_text(now.at),
            "parentFolderId": home_id(self._box, now),
            **now.values,
            **email_slots(now.values),
            STAMPS_FIELD: [{"id": stamp, "value": value} for stamp, value in now.stamps.items()],
            "hasPhoto": contact.photo is not None,
        }
