"""Plays `az` for the scripts of an installation: answers from a small state in a file, and writes down what it was asked to change.

It knows the calls that the scripts make and refuses any other, so that a script cannot do more than its test says. It starts often, so it
uses the standard library only.
"""

import json
import os
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

IDENTITY = "11111111-0000-4000-8000-000000000001"
GRAPH = "https://graph.example.com"
ROLES = {
    name: f"22222222-0000-4000-8000-{number:012d}"
    for number, name in enumerate(
        [
            "User.ReadBasic.All",
            "User.Read.All",
            "GroupMember.Read.All",
            "Contacts.ReadWrite",
            "MailboxSettings.ReadWrite",
            "Calendars.ReadWrite",
            "Tasks.ReadWrite.All",
        ],
        start=1,
    )
}
OUTPUTS = {"appName": "tandem-app", "vaultName": "kv-tandem", "identityPrincipalId": IDENTITY}
FUNCTIONS = ["tandem-app/plan_sync", "tandem-app/sync_user", "tandem-app/sync_user_poison"]


class Refused(Exception):
    """What the CLI says when it ends with 1."""


def _main(asked: Sequence[str]) -> int:
    path, log = Path(os.environ["FAKE_AZURE"]), Path(os.environ["FAKE_AZURE_LOG"])
    state = json.loads(path.read_text())
    words, options = _split(asked)
    try:
        answer = _rest(options, state, log) if words == "rest" else _command(words, options, state, log)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    path.write_text(json.dumps(state))
    if answer:
        print(answer)
    return 0


def _split(asked: Sequence[str]) -> tuple[str, dict[str, str]]:
    words: list[str] = []
    options: dict[str, str] = {}
    rest = list(asked)
    while rest and not rest[0].startswith("--"):
        words.append(rest.pop(0))
    while rest:
        name = rest.pop(0)
        options[name] = rest.pop(0) if rest and not rest[0].startswith("--") else ""
    return " ".join(words), options


def _command(words: str, options: Mapping[str, str], state: dict[str, Any], log: Path) -> str:
    if words == "account show":
        return "Example subscription"
    if words == "cloud show":
        return f"{GRAPH}/"
    if words == "group exists":
        return str(options["--name"] in state["groups"]).lower()
    if words == "deployment group show":
        return OUTPUTS[options["--query"].split(".")[2]]
    if words in {"deployment group validate", "deployment group what-if", "deployment group create"}:
        _note(log, f"{words.rpartition(' ')[2]} {Path(options['--parameters']).name}")
        return ""
    if words == "keyvault secret show":
        if state["refused"]:
            raise Refused(state["refused"])
        if options["--name"] not in state["secrets"]:
            raise Refused("(SecretNotFound) A secret was not found")
        return f"id of {options['--name']}"
    if words == "keyvault secret set":
        file = Path(options["--file"])
        state["secrets"][options["--name"]] = file.read_text()
        _note(log, f"secret {options['--name']} mode {stat.S_IMODE(file.stat().st_mode):o}")
        return ""
    if words == "functionapp deployment source config-zip":
        _note(log, f"publish {Path(options['--src']).name}")
        return ""
    if words in {"functionapp restart", "functionapp stop"}:
        _note(log, words.rpartition(" ")[2])
        return ""
    if words == "functionapp show":
        return "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Web/sites/tandem-app"
    if words == "functionapp function list":
        state["unlisted"] -= 1
        return "" if state["unlisted"] >= 0 else "\n".join(FUNCTIONS)
    if words == "resource list":
        return "Microsoft.Web/sites\ttandem-app"
    if words == "group delete":
        state["groups"].remove(options["--name"])
        _note(log, "delete group")
        return ""
    raise SystemExit(f"fake az: {words} is not expected")


def _rest(options: Mapping[str, str], state: dict[str, Any], log: Path) -> str:
    method, url = options["--method"], options["--url"]
    if method == "get" and "/config/configreferences/" in url:
        state["unresolved"] -= 1
        status = "SecretNotFound" if state["unresolved"] >= 0 else "Resolved"
        return f"SALESFORCE_PRIVATE_KEY: {status}\nSYNC_HASH_KEY: Resolved"
    if not url.startswith(f"{GRAPH}/v1.0/servicePrincipals"):
        raise SystemExit(f"fake az: {method} {url} is not expected")
    if method == "get" and "appRoleAssignments" in url:
        return "\n".join(f"{ROLES[name]}\tassignment-{name}" for name in state["held"])
    if method == "get" and "$select=appRoles" in url:
        return "\n".join(f"{name}\t{role}" for name, role in ROLES.items())
    if method == "get":
        return "tandem-identity" if IDENTITY in url else "graph-in-this-directory"
    if method == "post":
        body = json.loads(options["--body"])
        if (body["principalId"], body["resourceId"]) != (IDENTITY, "graph-in-this-directory"):
            raise SystemExit(f"fake az: {body}")
        (name,) = [name for name, role in ROLES.items() if role == body["appRoleId"]]
        state["held"].append(name)
        _note(log, f"give {name}")
        return ""
    name = url.rpartition("/assignment-")[2]
    state["held"].remove(name)
    _note(log, f"take {name}")
    return ""


def _note(log: Path, line: str) -> None:
    with log.open("a") as file:
        file.write(line + "\n")


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
