"""What people do on both sides, as small steps that a seed draws, and a ledger of everything they did.

A step names no record: it holds numbers, and picks when its time has come from what is there then. So a step can be left out of a history
and the others still mean something, which is what shrinking needs. Every value that is typed is unique (`v17`), and so is every person
(`P17`), a copy of an item excepted. It uses the simulators' human side only.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from local.sandbox.graph.answers import Refusal as GraphRefusal
from local.sandbox.salesforce.errors import Refusal
from sync.ports import Merge
from tests.tenant import CATEGORY, FOLDER, Somebody, Tenant

FIELDS: Mapping[str, tuple[str, str]] = {
    "title": ("Title", "jobTitle"),
    "department": ("Department", "department"),
    "mobile": ("MobilePhone", "mobilePhone"),
    "assistant": ("AssistantName", "assistantName"),
    "notes": ("Description", "personalNotes"),
    "phone": ("Phone", "businessPhones"),
    "city": ("MailingCity", "businessAddress"),
}
"""What people type into: our word, Salesforce's name, Outlook's."""


class Side(StrEnum):
    OUTLOOK = "outlook"
    SALESFORCE = "salesforce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`at`: seconds from the beginning. `picks` choose among what is there (0 ≤ pick < 1)."""

    at: float
    what: str
    who: int
    picks: tuple[float, float, float]
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A step that was done. `person` is the contact's name `P17`, `field`/`value` what was typed, if anything was."""

    at: float
    what: str
    side: Side
    who: str
    id: str
    person: str
    field: str = ""
    value: str = ""

    def __str__(self) -> str:
        typed = f" {self.field}={self.value}" if self.field else ""
        return f"{self.at:8.2f} {self.who.partition('@')[0]:4} {self.side:10} {self.what:16} {self.person:5}{typed}"


@dataclass(kw_only=True)
class Ledger:
    acts: list[Act] = field(default_factory=list)
    made: Counter[str] = field(default_factory=Counter)
    """How often people made, copied or brought back a contact of a name."""

    def of(self, person: str, *whats: str) -> list[Act]:
        return [act for act in self.acts if act.person == person and act.what in whats]


@dataclass(kw_only=True)
class People:
    tenant: Tenant
    now: Callable[[], float]
    ledger: Ledger = field(default_factory=Ledger)
    lag: float = 0.0
    """Salesforce: seconds until others see an edit, at most."""

    def do(self, step: Step) -> None:
        """What is not possible now (nothing to choose from, a row locked) is not done."""
        somebody = self.tenant.people[step.who % len(self.tenant.people)]
        with suppress(GraphRefusal, Refusal, LookupError):
            getattr(self, step.what)(somebody, step)

    # ------------------------------------------------------------- choosing

    def _homes(self, who: Somebody) -> list[str]:
        """The folder the sync made, also under another name."""
        return [folder["id"] for folder in who.outlook.folders() if folder["displayName"].startswith(FOLDER)]

    def _home(self, who: Somebody) -> str:
        return str(self._homes(who)[0])

    def _items(self, who: Somebody, *, inside: bool | None = None) -> list[dict[str, Any]]:
        homes = self._homes(who)
        return [one for one in who.outlook.contacts() if inside is None or (one["parentFolderId"] in homes) == inside]

    def _item(self, who: Somebody, step: Step, *, inside: bool | None = None) -> dict[str, Any]:
        item: dict[str, Any] = _pick(self._items(who, inside=inside), step.picks[0])
        return item

    def _records(self, who: Somebody, *, deleted: bool = False) -> list[dict[str, Any]]:
        rows = self.tenant.salesforce.records("Contact", deleted=deleted)
        return [row for row in rows if row["OwnerId"] == who.crm.id and bool(row.get("IsDeleted")) == deleted]

    def _record(self, who: Somebody, step: Step, *, deleted: bool = False) -> dict[str, Any]:
        row: dict[str, Any] = _pick(self._records(who, deleted=deleted), step.picks[0])
        return row

    def _note(self, step: Step, who: Somebody, side: Side, id_: str, person: str, name: str = "", value: str = "", what: str = "") -> None:
        what = what or step.what
        self.ledger.acts.append(Act(at=self.now(), what=what, side=side, who=who.upn, id=id_, person=person, field=name, value=value))

    def _made(self, step: Step, who: Somebody, side: Side, id_: str, person: str) -> None:
        self.ledger.made[person] += 1
        self._note(step, who, side, id_, person)

    # ------------------------------------------------------------- Outlook

    def create_item(self, who: Somebody, step: Step, folder: str = "", **more: Any) -> None:
        person = f"P{step.number}"
        id_ = who.outlook.create_contact(
            folder or self._home(who), {"givenName": "N", "surname": person, "jobTitle": f"v{step.number}", **more}
        )
        self._made(step, who, Side.OUTLOOK, id_, person)
        self._note(step, who, Side.OUTLOOK, id_, person, "title", f"v{step.number}", "type_outlook")

    def create_item_elsewhere(self, who: Somebody, step: Step) -> None:
        self.create_item(who, step, "contacts")

    def create_item_marked(self, who: Somebody, step: Step) -> None:
        self.create_item(who, step, "contacts", categories=[CATEGORY])

    def create_twin_item(self, who: Somebody, step: Step) -> None:
        """Somebody whom Salesforce has already, typed by hand: a match."""
        row = self._record(who, step)
        person = str(row["LastName"])
        values: dict[str, Any] = {"givenName": "N", "surname": person, "jobTitle": f"v{step.number}"}
        if row.get("Email"):
            values["emailAddresses"] = [{"address": row["Email"], "name": person}]
        self._made(step, who, Side.OUTLOOK, id_ := who.outlook.create_contact(self._home(who), values), person)
        self._note(step, who, Side.OUTLOOK, id_, person, "title", f"v{step.number}", "type_outlook")

    def edit_item(self, who: Somebody, step: Step) -> None:
        self._type_item(who, step, self._item(who, step), _pick(sorted(FIELDS), step.picks[1]))

    def edit_same(self, who: Somebody, step: Step) -> None:
        """Both sides of one contact, the same field, at nearly the same time."""
        item = self._item(who, step, inside=True)
        row = _pick([row for row in self._records(who) if row["LastName"] == item["surname"]], step.picks[2])
        name = _pick(sorted(FIELDS), step.picks[1])
        self._type_item(who, step, item, name, "a")
        self._type_record(who, step, row, name, "b")

    def edit_both(self, who: Somebody, step: Step) -> None:
        """Both sides of one contact, different fields."""
        item = self._item(who, step, inside=True)
        row = _pick([row for row in self._records(who) if row["LastName"] == item["surname"]], step.picks[2])
        names = sorted(FIELDS)
        at = int(step.picks[1] * len(names))
        self._type_item(who, step, item, names[at], "a")
        self._type_record(who, step, row, names[at - 1], "b")

    def _type_item(self, who: Somebody, step: Step, item: Mapping[str, Any], name: str, more: str = "") -> None:
        value, graph = f"v{step.number}{more}", FIELDS[name][1]
        typed: Any = value
        if name == "phone":
            typed = [value, *(item.get(graph) or [])[1:]]
        if name == "city":
            typed = {**(item.get(graph) or {}), "city": value}
        who.outlook.edit_contact(item["id"], {graph: typed})
        self._note(step, who, Side.OUTLOOK, item["id"], str(item["surname"]), name, value, "type_outlook")

    def clear_item(self, who: Somebody, step: Step) -> None:
        item = self._item(who, step, inside=True)
        name = _pick(["title", "department", "mobile", "notes"], step.picks[1])
        who.outlook.edit_contact(item["id"], {FIELDS[name][1]: None})
        self._note(step, who, Side.OUTLOOK, item["id"], str(item["surname"]), name, "", "clear")

    def delete_item(self, who: Somebody, step: Step) -> None:
        self._delete(who, step, self._item(who, step, inside=True))

    def delete_many_items(self, who: Somebody, step: Step) -> None:
        for item in self._items(who, inside=True)[: 2 + int(step.picks[1] * 8)]:
            self._delete(who, step, item)

    def _delete(self, who: Somebody, step: Step, item: Mapping[str, Any]) -> None:
        who.outlook.delete_contact(item["id"])
        self._note(step, who, Side.OUTLOOK, item["id"], str(item["surname"]), what="delete_item")

    def restore_item(self, who: Somebody, step: Step) -> None:
        """Out of Deleted Items, into the default folder or into ours."""
        gone = [act for act in self.ledger.acts if act.what == "delete_item" and act.who == who.upn]
        act = _pick(gone, step.picks[0])
        who.outlook.restore_contact(act.id, self._home(who) if step.picks[1] < 0.6 else "contacts")
        self._made(step, who, Side.OUTLOOK, act.id, act.person)

    def move_out(self, who: Somebody, step: Step) -> None:
        item = self._item(who, step, inside=True)
        who.outlook.move_contact(item["id"], "contacts")
        self._note(step, who, Side.OUTLOOK, item["id"], str(item["surname"]))

    def move_in(self, who: Somebody, step: Step) -> None:
        item = self._item(who, step, inside=False)
        who.outlook.move_contact(item["id"], self._home(who))
        self._bring(step, who, item)

    def mark(self, who: Somebody, step: Step) -> None:
        item = self._item(who, step, inside=False)
        who.outlook.edit_contact(item["id"], {"categories": [CATEGORY]})
        self._bring(step, who, item)

    def _bring(self, step: Step, who: Somebody, item: Mapping[str, Any]) -> None:
        """Somebody opts an item in. If its record is a colleague's by now, or gone, that makes a new one."""
        person = str(item["surname"])
        if not any(row["LastName"] == person for row in self._records(who)):
            self.ledger.made[person] += 1
        self._note(step, who, Side.OUTLOOK, item["id"], person)

    def unmark(self, who: Somebody, step: Step) -> None:
        item = self._item(who, step)
        who.outlook.edit_contact(item["id"], {"categories": []})
        self._note(step, who, Side.OUTLOOK, item["id"], str(item["surname"]))

    def copy_item(self, who: Somebody, step: Step) -> None:
        item = self._item(who, step)
        copy = who.outlook.copy_contact(item["id"], self._home(who) if step.picks[1] < 0.7 else "contacts")
        self._made(step, who, Side.OUTLOOK, copy, str(item["surname"]))

    def rename_folder(self, who: Somebody, step: Step) -> None:
        home = self._home(who)
        who.outlook.rename_folder(home, f"{FOLDER} {step.number}")
        self._note(step, who, Side.OUTLOOK, home, "")

    def delete_folder(self, who: Somebody, step: Step) -> None:
        home = self._home(who)
        items = who.outlook.contacts(home)
        who.outlook.delete_folder(home)
        for item in items:
            self._note(step, who, Side.OUTLOOK, item["id"], str(item["surname"]), what="lost_with_folder")

    # ------------------------------------------------------------- Salesforce

    def _lag(self, step: Step) -> float:
        return step.picks[2] * self.lag if step.picks[1] < 0.3 else 0.0

    def create_record(self, who: Somebody, step: Step) -> None:
        person = f"P{step.number}"
        values = {"FirstName": "N", "LastName": person, "Department": f"v{step.number}"}
        if step.picks[0] < 0.6:
            values["Email"] = f"{person.lower()}@people.example"
        id_ = who.crm.create("Contact", values, visible_after=self._lag(step))
        self._made(step, who, Side.SALESFORCE, id_, person)
        self._note(step, who, Side.SALESFORCE, id_, person, "department", f"v{step.number}", "type_salesforce")

    def create_twin_record(self, who: Somebody, step: Step) -> None:
        """Somebody whom Outlook has already, typed by hand."""
        item = self._item(who, step)
        person = str(item["surname"])
        values = {"FirstName": "N", "LastName": person, "Department": f"v{step.number}"}
        id_ = who.crm.create("Contact", values, visible_after=self._lag(step))
        self._made(step, who, Side.SALESFORCE, id_, person)
        self._note(step, who, Side.SALESFORCE, id_, person, "department", f"v{step.number}", "type_salesforce")

    def edit_record(self, who: Somebody, step: Step) -> None:
        self._type_record(who, step, self._record(who, step), _pick(sorted(FIELDS), step.picks[1]))

    def _type_record(self, who: Somebody, step: Step, row: Mapping[str, Any], name: str, more: str = "") -> None:
        value = f"v{step.number}{more}"
        who.crm.update(row["Id"], {FIELDS[name][0]: value}, visible_after=self._lag(step))
        self._note(step, who, Side.SALESFORCE, row["Id"], str(row["LastName"]), name, value, "type_salesforce")

    def clear_record(self, who: Somebody, step: Step) -> None:
        row = self._record(who, step)
        name = _pick(["title", "department", "mobile", "notes"], step.picks[1])
        who.crm.update(row["Id"], {FIELDS[name][0]: None})
        self._note(step, who, Side.SALESFORCE, row["Id"], str(row["LastName"]), name, "", "clear")

    def delete_record(self, who: Somebody, step: Step) -> None:
        row = self._record(who, step)
        who.crm.delete(row["Id"], visible_after=self._lag(step))
        self._note(step, who, Side.SALESFORCE, row["Id"], str(row["LastName"]))

    def undelete_record(self, who: Somebody, step: Step) -> None:
        row = self._record(who, step, deleted=True)
        who.crm.undelete(row["Id"])
        self._made(step, who, Side.SALESFORCE, row["Id"], str(row["LastName"]))

    def purge_record(self, who: Somebody, step: Step) -> None:
        row = self._record(who, step)
        self.tenant.salesforce.purge(row["Id"])
        self._note(step, who, Side.SALESFORCE, row["Id"], str(row["LastName"]))

    def merge_records(self, who: Somebody, step: Step) -> None:
        rows = self._records(who)
        master, loser = _pick(rows, step.picks[0]), _pick(rows, step.picks[1])
        if master["Id"] != loser["Id"]:
            who.crm.merge(master["Id"], [loser["Id"]])
            self.ledger.made[str(master["LastName"])] += self.ledger.made[str(loser["LastName"])]  # its items take the master's name
            self._note(step, who, Side.SALESFORCE, loser["Id"], str(loser["LastName"]), what="merged_away")
            self._note(step, who, Side.SALESFORCE, master["Id"], str(master["LastName"]), what="merged_into")

    def give_record(self, who: Somebody, step: Step) -> None:
        row = self._record(who, step)
        other = _pick([one for one in self.tenant.people if one is not who], step.picks[1])
        who.crm.update(row["Id"], {"OwnerId": other.crm.id})
        self._note(step, who, Side.SALESFORCE, row["Id"], str(row["LastName"]))

    def share_record(self, who: Somebody, step: Step) -> None:
        row = self._record(who, step)
        other = _pick([one for one in self.tenant.people if one is not who], step.picks[1])
        self.tenant.salesforce.share(row["Id"], other.crm.id, "edit")
        self._note(step, who, Side.SALESFORCE, row["Id"], str(row["LastName"]))

    def unshare_record(self, who: Somebody, step: Step) -> None:
        row = self._record(who, step)
        for other in self.tenant.people:
            self.tenant.salesforce.unshare(row["Id"], other.crm.id)
        self._note(step, who, Side.SALESFORCE, row["Id"], str(row["LastName"]))

    def touch_record(self, who: Somebody, step: Step) -> None:
        self.tenant.salesforce.touch(self._record(who, step)["Id"])

    # ------------------------------------------------------------- whoever runs it

    def expire_delta(self, who: Somebody, _step: Step) -> None:
        self.tenant.graph.expire_delta_tokens(who.upn)


async def decide(tenant: Tenant, rng: random.Random, ledger: Ledger) -> None:
    """An administrator answers what waits, some of it."""
    for row in await tenant.rows("SyncConflicts"):
        if row.values.get("State") == "waiting" and not row.values.get("Decision") and rng.random() < 0.7:
            allowed = [one.strip() for one in str(row.values["AllowedDecisions"]).split(",") if one.strip()]
            choice = rng.choice(allowed)
            await tenant.tables.transact("SyncConflicts", row.partition, [Merge(key=row.key, values={"Decision": choice})])
            ledger.acts.append(Act(at=0.0, what=f"decide {choice}", side=Side.SALESFORCE, who="admin", id=row.key, person=""))
    for row in await tenant.rows("SyncApprovals"):
        if row.values.get("State") == "waiting" and rng.random() < 0.7:
            choice = rng.choice(["approve", "reject"])
            await tenant.tables.transact("SyncApprovals", row.partition, [Merge(key=row.key, values={"Decision": choice})])
            ledger.acts.append(Act(at=0.0, what=choice, side=Side.SALESFORCE, who="admin", id=row.key, person=""))


def _pick(among: Sequence[Any], pick: float) -> Any:
    """Raises LookupError where there is nothing to choose from."""
    return among[int(pick * len(among))]
