"""Whether what a history left is right, judged from the simulators, the tables and the people's ledger alone.

Each finding is a sentence; none means that it is right. Which losses the design admits (Salesforce's If-Unmodified-Since counts whole
seconds; its deletes have no precondition) is counted in `Excuses`, and only a loss that fits its window exactly is excused.
It does not ask the product what it meant: of its code only the rows' form is known here.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local.compare import compare_pair
from local.sandbox.graph.journal import Actor as GraphActor
from local.sandbox.graph.journal import Operation
from local.sandbox.salesforce.journal import Actor, Write
from local.sandbox.salesforce.rules import RowOp
from local.sandbox.salesforce.times import from_stamp
from sync.core.link import Link, Status
from sync.core.policy import Direction, Policy
from sync.keeping import Pending, Why
from sync.ports import Stored
from sync.stores.packing import read_link, read_pending
from tests.engine.people import FIELDS, Act, Ledger, Side
from tests.tenant import CATEGORY, FOLDER, Somebody, Tenant

VALUE = re.compile(r"\bv\d+[ab]?\b")
EXPLAINED = (Why.WAITING, Why.FAILED, Why.HELD, Why.RESTING)
DELETE_WINDOW = timedelta(minutes=13)
"""From the re-read before a delete to its latest effect: the call's time and the vendors' longest request time."""


@dataclass(slots=True)
class Excuses:
    """Losses inside the windows that the design names."""

    same_second: int = 0
    delete: int = 0


@dataclass(kw_only=True)
class Kept:
    """What the tables say of one user."""

    who: Somebody
    links: list[Link] = field(default_factory=list)
    pendings: list[Pending] = field(default_factory=list)
    pointers: dict[str, str] = field(default_factory=dict)
    """Outlook id → Salesforce id."""
    intents: int = 0
    counted: int = 0
    errors: set[str] = field(default_factory=set)
    """Names of pairs with an error row."""

    def waits(self, *, salesforce_id: str = "", outlook_id: str = "") -> bool:
        return any(
            one.why in EXPLAINED
            and ((salesforce_id and one.salesforce_id == salesforce_id) or (outlook_id and one.outlook_id == outlook_id))
            for one in self.pendings
        ) or any(salesforce_id and salesforce_id in one.candidates for one in self.pendings)


@dataclass(kw_only=True)
class Judge:
    tenant: Tenant
    ledger: Ledger
    policy: Policy
    everybody: bool
    """The search is All contacts."""
    excuses: Excuses = field(default_factory=Excuses)

    async def findings(self) -> list[str]:
        kept = [await self._kept(who) for who in self.tenant.people]
        evidence = await self._evidence()
        found: list[str] = []
        for one in kept:
            found += [f"{one.who.upn.partition('@')[0]}: {text}" for text in (*self._state(one), *self._pairs(one), *self._left_out(one))]
        return [*found, *self._losses(evidence), *self._duplicates(kept), *self._deletions(), *self._mails()]

    # ------------------------------------------------------------- what is there

    async def _kept(self, who: Somebody) -> Kept:
        kept = Kept(who=who)
        for row in await self.tenant.rows("SyncState", who.id):
            sort = row.key.partition("|")[0]
            if sort == "link":
                kept.links.append(read_link(row, str(row.values["HashKey"])))
            elif sort == "pointer":
                kept.pointers[str(row.values["OutlookId"])] = str(row.values["SalesforceId"])
            elif sort == "d-pending":
                kept.pendings.append(read_pending(row))
            elif sort == "c-intent":
                kept.intents += 1
            elif sort == "a-lease":
                kept.counted = int(str(row.values.get("Links_contact", 0)))
        rows = await self.tenant.rows("SyncErrors", who.id)
        kept.errors = {name for row in rows for name in _names(row)}
        return kept

    async def _evidence(self) -> set[str]:
        """Every value that is somewhere: on a living record, in the journal, in a conflict."""
        texts = [json.dumps(row, default=str) for row in self.tenant.contacts()]
        texts += [json.dumps(item, default=str) for who in self.tenant.people for item in who.outlook.contacts()]
        for table in ("SyncJournal", "SyncConflicts"):
            texts += [json.dumps(dict(row.values), default=str) for row in await self.tenant.rows(table)]
        return {value for text in texts for value in VALUE.findall(text)}

    def _homes(self, who: Somebody) -> set[str]:
        return {folder["id"] for folder in who.outlook.folders() if folder["displayName"].startswith(FOLDER)}

    # ------------------------------------------------------------- the state

    def _state(self, kept: Kept) -> Iterator[str]:
        active = [link for link in kept.links if link.status is Status.ACTIVE]
        if kept.intents:
            yield f"{kept.intents} intents are open"
        if kept.counted != len(active):
            yield f"the lease counts {kept.counted} links, there are {len(active)}"
        for outlook_id, number in Counter(link.outlook_id for link in active if link.outlook_id).items():
            if number > 1:
                yield f"{number} links to one item {outlook_id[-12:]}"
        named = {link.outlook_id: link.salesforce_id for link in active if link.outlook_id}
        for outlook_id, salesforce_id in named.items():
            if kept.pointers.get(outlook_id) != salesforce_id:
                yield f"no pointer from item {outlook_id[-12:]} to {salesforce_id}"
        all_named = {link.outlook_id for link in kept.links}
        for outlook_id in kept.pointers:
            if outlook_id not in all_named:
                yield f"a pointer from item {outlook_id[-12:]} to nothing"
        for pending in kept.pendings:
            if pending.why not in EXPLAINED:
                yield f"a pending '{pending.why}' is left: {pending.name[:20]} due {pending.due:%H:%M}"
            elif pending.why is Why.FAILED and not kept.errors & {pending.salesforce_id, pending.outlook_id}:
                yield f"a failed pair without an error row: {pending.name[:20]} ({pending.code}, {pending.attempts} attempts)"

    # ------------------------------------------------------------- agreement

    def _pairs(self, kept: Kept) -> Iterator[str]:
        if any(pending.why is Why.HELD for pending in kept.pendings):
            return  # all rests until an administrator has decided
        items = {item["id"]: item for item in kept.who.outlook.contacts()}
        homes = self._homes(kept.who)
        for link in kept.links:
            if link.status is not Status.ACTIVE or kept.waits(salesforce_id=link.salesforce_id, outlook_id=link.outlook_id):
                continue
            row, item = self.tenant.salesforce.record(link.salesforce_id), items.get(link.outlook_id)
            if row is None or row.get("IsDeleted"):
                if self.policy.direction is not Direction.TO_SALESFORCE or item is None:
                    yield f"a link to a record that is no more: {link.salesforce_id}, item {item['surname'] if item else 'gone'}"
            elif item is None:
                if self.policy.direction is not Direction.TO_SALESFORCE:
                    yield f"{row['LastName']}: linked, and its item is no more"
            else:
                for text in compare_pair(row, item, {}):
                    if not self._may_differ(text):
                        yield f"{row['LastName']}: {text}"
                if item["parentFolderId"] not in homes:
                    yield f"{row['LastName']}: linked, and its item is not in the folder"
                elif CATEGORY not in item["categories"]:
                    yield f"{row['LastName']}: linked, and its item lacks the category"

    def _may_differ(self, text: str) -> bool:
        """In one direction only, what a person typed, cleared or merged on the side that is only written to stays there."""
        known = VALUE.search(text) or "None" in text or text.startswith(("the notes", "LastName", "Email"))
        return self.policy.direction is not Direction.BOTH and bool(known)

    def _left_out(self, kept: Kept) -> Iterator[str]:
        """What should be on the other side, is not, and has no reason that can be read."""
        if any(pending.why is Why.HELD for pending in kept.pendings):
            return  # all rests until an administrator has decided
        linked = {link.salesforce_id for link in kept.links}
        if self.policy.direction is not Direction.TO_SALESFORCE:
            for row in self.tenant.contacts():
                if row["Id"] not in linked and self._in_search(kept.who, row) and not kept.waits(salesforce_id=row["Id"]):
                    yield f"{row['LastName']}: record {row['Id']} never came to Outlook"
        if self.policy.direction is Direction.TO_OUTLOOK:
            return
        linked = {link.outlook_id for link in kept.links}
        homes = self._homes(kept.who)
        for item in kept.who.outlook.contacts():
            wanted = item["parentFolderId"] in homes or CATEGORY in item["categories"]
            if wanted and item["id"] not in linked and not kept.waits(outlook_id=item["id"]):
                yield f"{item['surname']}: item {item['id'][-12:]} never came to Salesforce"

    def _in_search(self, who: Somebody, row: Mapping[str, Any]) -> bool:
        if not self.everybody:
            return bool(row["OwnerId"] == who.crm.id)
        return self.tenant.salesforce.org.access.can_read(who.crm.id, "Contact", row)

    # ------------------------------------------------------------- lost edits

    def _losses(self, evidence: set[str]) -> Iterator[str]:
        last: dict[tuple[str, str], Act] = {}
        for act in self.ledger.acts:
            if act.what in ("type_outlook", "type_salesforce", "clear"):
                last[act.id, act.field] = act
            elif act.what in ("delete_item", "lost_with_folder", "delete_record", "purge_record", "merged_away"):
                for key in [key for key in last if key[0] == act.id]:
                    del last[key]  # whoever deletes a record deletes what was typed into it
        for act in last.values():
            if act.value and act.value not in evidence and not self._merged_over(act) and not self._excused(act):
                yield f"lost: {act}"

    def _merged_over(self, act: Act) -> bool:
        """The person themselves merged another record over it."""
        return act.side is Side.SALESFORCE and any(
            one.at >= act.at and one.id == act.id for one in self.ledger.of(act.person, "merged_into")
        )

    def _excused(self, act: Act) -> bool:
        if act.side is not Side.SALESFORCE:
            return False
        column = FIELDS[act.field][0]
        writes = [one for one in self.tenant.salesforce.writes if one.id == act.id]
        typed = next((at for at, one in enumerate(writes) if one.fields.get(column) == act.value), None)
        if typed is None:
            return False
        over = next((one for one in writes[typed + 1 :] if column in one.fields and one.actor is Actor.API), None)
        if over is not None and any(one.time == writes[typed].time for one in writes[:typed]):
            self.excuses.same_second += 1
            return True
        gone = next((one for one in writes[typed + 1 :] if one.op is RowOp.DELETE and one.actor is Actor.API), None)
        if gone is not None and _when(gone) - _when(writes[typed]) <= DELETE_WINDOW:
            self.excuses.delete += 1
            return True
        return False

    # ------------------------------------------------------------- duplicates and deletions

    def _duplicates(self, kept: list[Kept]) -> Iterator[str]:
        records: Counter[str] = Counter(row["LastName"] for row in self.tenant.contacts())
        for person, number in records.items():
            if number > self.ledger.made[person]:
                yield f"{person}: {number} records in Salesforce, people made {self.ledger.made[person]}"
        for one in kept:
            items: Counter[str] = Counter(item["surname"] for item in one.who.outlook.contacts())
            for person, number in items.items():
                if number > self.ledger.made[person]:
                    yield f"{one.who.upn.partition('@')[0]}: {person}: {number} items in Outlook, people made {self.ledger.made[person]}"

    def _deletions(self) -> Iterator[str]:
        decided = any(act.what.startswith(("decide", "approve", "reject")) for act in self.ledger.acts)
        names = {row["Id"]: row["LastName"] for row in self.tenant.salesforce.records("Contact", deleted=True)}
        names |= {one.id: str(one.fields["LastName"]) for one in self.tenant.salesforce.writes if one.fields.get("LastName")}
        removed: dict[str, list[Write]] = defaultdict(list)
        for one in self.tenant.salesforce.writes:
            if one.op is RowOp.DELETE and one.actor is Actor.API:
                removed[names.get(one.id, "?")].append(one)
        for person in removed:
            if not self.policy.remove_in_salesforce and not decided:
                yield f"{person}: deleted in Salesforce, though D1 is off"
            elif not self.ledger.of(person, "delete_item"):
                yield f"{person}: deleted in Salesforce, and nobody deleted it in Outlook"
        surnames = {one.item_id: str(one.changed["surname"]) for one in self.tenant.graph.writes if one.changed.get("surname")}
        for write in self.tenant.graph.writes:
            if write.operation is Operation.DELETED and write.actor is GraphActor.APP and write.kind == "contact":
                person = surnames.get(write.item_id, "?")
                reasons = (
                    "delete_record",
                    "purge_record",
                    "merged_away",
                    "merged_into",
                    "give_record",
                    "unshare_record",
                    "share_record",
                    "mark",
                )
                moved = ("move_in", "move_out", "unmark", "create_item_marked", "restore_item", "copy_item")
                if not self.ledger.of(person, *reasons, *moved) and person not in removed:
                    yield f"{person}: deleted in the mailbox of {write.user}, and nobody gave a reason"

    def _mails(self) -> Iterator[str]:
        for write in self.tenant.graph.writes:
            if write.mails_sent:
                yield f"mails were sent to {write.mails_sent}"


def effects(tenant: Tenant) -> tuple[int, int]:
    """How many writes the product has made on each side."""
    graph = sum(1 for one in tenant.graph.writes if one.actor is GraphActor.APP)
    return graph, sum(1 for one in tenant.salesforce.writes if one.actor is Actor.API)


def _names(row: Stored) -> set[str]:
    return {str(row.values.get("SalesforceId", "")), str(row.values.get("OutlookId", ""))} - {""}


def _when(write: Write) -> datetime:
    return from_stamp(write.time)
