"""How links, pendings and intents become rows of `SyncState`, and back. Bases and intents are the only things packed."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.records import LONG_AGO, Origin, Side
from sync.core.fingerprint import Base
from sync.core.link import Link, Status, Turns
from sync.keeping import Intended, Intent, Op, Pending, Why
from sync.ports import Row, Scalar, Stored
from sync.stores.columns import join, span


def link_row(link: Link, mark: str) -> Row:
    """`mark` names the hash key: hashes of another key are no base."""
    turns = link.turns
    return {
        "SalesforceId": link.salesforce_id,
        "OutlookId": link.outlook_id,
        "Status": link.status.value,
        "Origin": link.origin.value,
        "Home": link.home,
        "HashKey": mark,
        **span("Base", pack_base(link.base)),
        "Etag": link.etag,
        "OutlookModified": link.outlook_modified,
        "Stamp": link.stamp,
        "Turns": turns.count,
        "TurnsSince": turns.since,
        "Wrote": f"{','.join(sorted(turns.wrote_salesforce))}|{','.join(sorted(turns.wrote_outlook))}",
    }


def read_link(row: Stored, mark: str) -> Link:
    values = row.values
    to_salesforce, _, to_outlook = str(values.get("Wrote", "|")).partition("|")
    return Link(
        salesforce_id=str(values["SalesforceId"]),
        outlook_id=str(values["OutlookId"]),
        status=Status(str(values["Status"])),
        origin=Origin(str(values["Origin"])),
        home=bool(values["Home"]),
        base=unpack_base(join(values, "Base")) if values.get("HashKey") == mark else Base(),
        etag=str(values["Etag"]),
        outlook_modified=moment(values["OutlookModified"]),
        stamp=str(values["Stamp"]),
        turns=Turns(
            count=int(str(values["Turns"])),
            since=moment(values["TurnsSince"]),
            wrote_salesforce=_names(to_salesforce),
            wrote_outlook=_names(to_outlook),
        ),
    )


def pack_base(base: Base) -> str:
    """`field salesforce-hash outlook-hash` per line; `?` for a half that has none."""
    names = sorted(base.salesforce.keys() | base.outlook.keys())
    return "\n".join(f"{name} {base.salesforce.get(name, '?')} {base.outlook.get(name, '?')}" for name in names)


def unpack_base(text: str) -> Base:
    salesforce: dict[str, str] = {}
    outlook: dict[str, str] = {}
    for line in text.splitlines():
        name, here, there = line.split(" ")
        if here != "?":
            salesforce[name] = here
        if there != "?":
            outlook[name] = there
    return Base(salesforce=salesforce, outlook=outlook)


def pending_row(pending: Pending) -> Row:
    return {
        "SalesforceId": pending.salesforce_id,
        "OutlookId": pending.outlook_id,
        "Why": pending.why.value,
        "Due": pending.due,
        "Attempts": pending.attempts,
        "Code": pending.code,
        "Since": pending.since,
        "Asked": pending.asked,
        "Side": pending.side.value if pending.side else "",
        "Approval": pending.approval,
        "Inside": pending.inside,
        **span("Candidates", ",".join(pending.candidates)),
    }


def read_pending(row: Stored) -> Pending:
    values = row.values
    return Pending(
        salesforce_id=str(values["SalesforceId"]),
        outlook_id=str(values["OutlookId"]),
        why=Why(str(values["Why"])),
        due=moment(values["Due"]),
        attempts=int(str(values["Attempts"])),
        code=str(values["Code"]),
        since=moment(values["Since"]),
        asked=bool(values["Asked"]),
        side=Side(str(values["Side"])) if values["Side"] else None,
        approval=str(values["Approval"]),
        inside=bool(values.get("Inside")),
        candidates=tuple(c for c in join(values, "Candidates").split(",") if c),
    )


def intent_row(intent: Intent) -> Row:
    actions = [
        {
            "s": action.salesforce_id,
            "o": action.outlook_id,
            "b": pack_base(action.base),
            "g": action.origin.value,
            "k": action.key,
            "c": action.claim,
            "i": action.inside,
        }
        for action in intent.actions
    ]
    return {
        "Operation": intent.op.value,
        "Sent": intent.sent,
        "Count": len(intent.actions),
        **span("Actions", json.dumps(actions, separators=(",", ":"))),
    }


def read_intent(key: str, row: Stored) -> Intent:
    actions: list[Mapping[str, Any]] = json.loads(join(row.values, "Actions"))
    return Intent(
        key=key,
        op=Op(str(row.values["Operation"])),
        sent=moment(row.values["Sent"]),
        actions=tuple(
            Intended(
                salesforce_id=a["s"],
                outlook_id=a["o"],
                base=unpack_base(a["b"]),
                origin=Origin(a["g"]),
                key=a["k"],
                claim=a["c"],
                inside=a["i"],
            )
            for a in actions
        ),
    )


def moment(value: Scalar) -> datetime:
    return value if isinstance(value, datetime) else LONG_AGO


def _names(text: str) -> frozenset[str]:
    return frozenset(name for name in text.split(",") if name)
