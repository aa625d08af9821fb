"""The users of the org, as the integration user sees them: the port `SalesforceUsers`. It looks at no record of theirs."""

from collections.abc import Sequence
from typing import Any

from sync.connectors.salesforce import soql
from sync.connectors.salesforce.client import CallRefused, Client, Surroundings
from sync.connectors.salesforce.ids import to_18
from sync.connectors.salesforce.tokens import Tokens
from sync.ports import SalesforceUser

_COLUMNS = ("Id", "Username", "FederationIdentifier", "Email", "IsActive")
_PEOPLE = "UserType = 'Standard'"
"""Site guests, portal members and platform integrations often carry an administrator's e-mail address: they are no candidates."""


async def open_users(tokens: Tokens, around: Surroundings) -> "Users":
    """Log in as the integration user, if the process has no token of theirs yet."""
    client = Client(tokens.integration_user, tokens, around)
    token = await client.token()
    return Users(client, org_id=token.org_id)


class Users:
    """Implements `sync.ports.SalesforceUsers`."""

    def __init__(self, client: Client, *, org_id: str) -> None:
        self._client = client
        self.org_id = org_id

    async def find(self, *, federation_ids: Sequence[str], emails: Sequence[str], usernames: Sequence[str]) -> Sequence[SalesforceUser]:
        """A call per five lists of about 250 values. A federation id compares with its case: it is asked for as given and in lower case."""
        lists = {
            "FederationIdentifier": [spelling for each in federation_ids for spelling in (each, each.lower())],
            "Email": emails,
            "Username": usernames,
        }
        conditions = [
            soql.among(column, part)
            for column, values in lists.items()
            for part in soql.chunks(list(dict.fromkeys(value for value in values if value)), "'{}',")
        ]
        found = await self._ask(conditions)
        users = {user.id: user for rows in found for row in rows for user in [_to_user(row)]}
        return [users[user_id] for user_id in sorted(users)]

    async def _ask(self, conditions: Sequence[str]) -> list[list[dict[str, Any]]]:
        """Without the sort of users where the integration user may not see it."""
        for people in (_PEOPLE, ""):
            try:
                return await self._client.rows([soql.select(_COLUMNS, "User", soql.all_of(each, people)) for each in conditions])
            except CallRefused as refused:
                if not people or not refused.answer.has("INVALID_FIELD"):
                    raise refused.answer.error() from refused
        raise AssertionError("unreachable: the last attempt returns or raises")


def _to_user(row: dict[str, Any]) -> SalesforceUser:
    return SalesforceUser(
        id=to_18(str(row["Id"])),
        username=str(row["Username"]),
        federation_id=str(row.get("FederationIdentifier") or ""),
        email=str(row.get("Email") or ""),
        active=bool(row["IsActive"]),
    )
