"""Salesforce as one user: the port `Org`, put together from queries, lookups and writes.

How many API calls a method makes is part of its promise and stands in its docstring; a describe (once an hour per user and kind), a login
and the pages of a service that sends fewer than 2,000 rows come on top.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from shared.errors import Code, Permanent, SyncError
from shared.records import Absent, Item, Lack, Place, Seen
from sync.connectors.salesforce import lookup, soql, write
from sync.connectors.salesforce.client import CallRefused, Client, Rows, Surroundings
from sync.connectors.salesforce.cursor import LAST, Position
from sync.connectors.salesforce.ids import is_id, to_18
from sync.connectors.salesforce.rows import columns_of, to_mere_item, to_seen
from sync.connectors.salesforce.schema import Schemas, to_schema
from sync.connectors.salesforce.tokens import Tokens
from sync.core.match import Identity
from sync.ports import Candidates, Done, Failed, NewSalesforce, Outcome, SalesforceChange, SalesforcePage, SalesforceRead, Search
from sync.translate.kind import Kind, Schema

T = TypeVar("T")


async def open_org(username: str, tokens: Tokens, schemas: Schemas, around: Surroundings) -> "SalesforceOrg":
    """Log in as this user, if the process has no token of theirs yet."""
    client = Client(username, tokens, around)
    token = await client.token()
    return SalesforceOrg(client, schemas, user_id=token.user_id, org_id=token.org_id)


class SalesforceOrg:
    """Implements `sync.ports.Org`."""

    def __init__(self, client: Client, schemas: Schemas, *, user_id: str, org_id: str) -> None:
        self._client = client
        self._schemas = schemas
        self.user_id = user_id
        self.org_id = org_id

    async def schema(self, kind: Kind) -> Schema:
        """No call, or one an hour."""
        kept = self._schemas.get(self.user_id, kind.salesforce_object)
        if kept is not None:
            return kept
        answer = await self._client.call("GET", f"sobjects/{kind.salesforce_object}/describe", repeatable=True)
        if not answer.ok:
            if answer.status == 404:
                raise Permanent(Code.NO_ACCESS_TO_OBJECT, f"the user may not read {kind.salesforce_object}")
            raise answer.error()
        return self._schemas.put(self.user_id, kind.salesforce_object, to_schema(answer.body, kind.key_field))

    async def read(self, reads: Sequence[SalesforceRead]) -> Sequence[SalesforcePage]:
        """One call per five queries. A read is one query, and one more on its first page if there are records to look for outside."""

        async def ask(schemas: Mapping[str, Schema]) -> Sequence[SalesforcePage]:
            positions = [Position.of(read.state, ids_only=read.ids_only) for read in reads]
            queries: list[str] = []
            for read, position in zip(reads, positions, strict=True):
                columns = ["Id", "SystemModstamp"] if read.ids_only else columns_of(read.kind, schemas[read.kind.name])
                queries.append(position.query(read.kind.salesforce_object, columns, read.search.condition))
                if _looks_outside(read, position):
                    queries.append(position.query_by_id(read.kind.salesforce_object, columns, read.outside))
            answers = iter(await self._client.queries(queries))
            pages: list[SalesforcePage] = []
            for read, position in zip(reads, positions, strict=True):
                inside = next(answers)
                outside = (await self._client.finish([next(answers)]))[0] if _looks_outside(read, position) else None
                pages.append(_page(read, position, inside, outside, schemas[read.kind.name]))
            return pages

        return await self._with_schemas([read.kind for read in reads], ask)

    async def count(self, kind: Kind, search: Search) -> int:
        """One call."""
        query = soql.select(["COUNT()"], kind.salesforce_object, search.condition)
        answer = await self._client.call("GET", f"query?q={soql.encoded(query)}", repeatable=True)
        if not answer.ok:
            raise _query_error(CallRefused(answer))
        return int(answer.body["totalSize"])

    async def get(self, kind: Kind, ids: Sequence[str], search: Search) -> Mapping[str, Seen]:
        """One call for up to 1,000 ids, two for 2,000; without a condition one for 2,500.

        The place takes a second query for the same ids. (Road not taken: the bulk retrieve of `composite/sobjects` brings 2,000 in a
        call too, but neither deleted rows nor the place: it would take the same queries on top.)
        """
        wanted = list(dict.fromkeys(to_18(each) for each in ids))
        askable = [each for each in wanted if is_id(each)]

        async def ask(schemas: Mapping[str, Schema]) -> Mapping[str, Seen]:
            schema, source = schemas[kind.name], kind.salesforce_object
            columns = columns_of(kind, schema)
            room = soql.MAX_ENCODED - 200 - max(len(soql.encoded(",".join(columns))), len(soql.encoded(search.condition)))
            parts = soql.chunks(askable, "'{}',", room)
            queries: list[str] = []
            for part in parts:
                queries.append(soql.select(columns, source, soql.among("Id", part)))
                if search.condition:
                    queries.append(soql.select(["Id"], source, soql.all_of(search.condition, soql.among("Id", part))))
            found = await self._client.rows(queries)
            step = 2 if search.condition else 1
            inside = {to_18(row["Id"]) for rows in found[1::2] for row in rows} if search.condition else set(wanted)
            seen: dict[str, Seen] = {each: Absent(id=each, lack=Lack.INVISIBLE) for each in wanted}
            for row in (row for rows in found[::step] for row in rows):
                record_id = to_18(row["Id"])
                seen[record_id] = to_seen(row, kind, schema, Place.INSIDE if record_id in inside else Place.OUTSIDE)
            return {each: seen[to_18(each)] for each in ids}

        return await self._with_schemas([kind], ask)

    async def look_up(self, kind: Kind, identities: Sequence[Identity], companies: Sequence[str]) -> Candidates:
        """One call for up to 200 new items of usual length."""
        return await self._with_schemas([kind], lambda s: lookup.look_up(self._client, kind, s[kind.name], identities, companies))

    async def create(self, kind: Kind, new: Sequence[NewSalesforce]) -> Sequence[Outcome]:
        """One call per 200; another if rows were locked, and another if an existing key's record is not named."""
        schema = await self.schema(kind)
        outcomes = await write.create(self._client, kind.salesforce_object, schema.key_field, new)
        unnamed = [at for at, outcome in enumerate(outcomes) if outcome is None]
        if unnamed:
            found = await self._existing(kind, [new[at].key for at in unnamed], schema)
            outcomes = [found[new[at].key] if outcome is None else outcome for at, outcome in enumerate(outcomes)]
        told = [outcome for outcome in outcomes if outcome is not None]
        self._mind(kind, told)
        return told

    def _mind(self, kind: Kind, outcomes: Sequence[Outcome]) -> None:
        """A field that was not writable after all: the next draft is to be made with a new describe."""
        if any(isinstance(outcome, Failed) and outcome.error.code is Code.FIELD_NOT_WRITABLE for outcome in outcomes):
            self._schemas.forget(self.user_id, kind.salesforce_object)

    async def _existing(self, kind: Kind, keys: Sequence[str], schema: Schema) -> Mapping[str, Outcome]:
        """The records that stood in the way. The other rows' outcomes are worth more than an error met here: these were not written."""
        text = "DUPLICATE_VALUE: a record with a unique value of this one exists"
        error: SyncError = Permanent(Code.DUPLICATE_RULE, text, field=schema.key_field)
        found: Mapping[str, Item] = {}
        try:
            found = await self.find_keys(kind, keys)
        except SyncError as met:
            error = met
        done = {key: Done(id=item.id, version=item.version, modified=item.modified, existed=True) for key, item in found.items()}
        return {key: done.get(key) or Failed(error=error) for key in keys}

    async def update(self, kind: Kind, changes: Sequence[SalesforceChange]) -> Sequence[Outcome]:
        """One call per 25; another if rows were locked, and one for each change that holds `@{`."""
        outcomes = await write.update(self._client, kind.salesforce_object, changes)
        self._mind(kind, outcomes)
        return outcomes

    async def delete(self, kind: Kind, ids: Sequence[str]) -> Sequence[Outcome]:
        """One call per 200; another if rows were locked."""
        return await write.delete(self._client, ids)

    async def find_keys(self, kind: Kind, keys: Sequence[str]) -> Mapping[str, Item]:
        """One call for up to 600 keys of 64 characters."""
        return await self._with_schemas([kind], lambda s: lookup.find_keys(self._client, kind, s[kind.name], keys))

    async def find_recent(self, kind: Kind, since: datetime) -> Sequence[Item]:
        """One call for up to 2,000 records."""
        return await self._with_schemas([kind], lambda s: lookup.find_recent(self._client, kind, s[kind.name], since, self.user_id))

    async def _with_schemas(self, kinds: Sequence[Kind], ask: Callable[[Mapping[str, Schema]], Awaitable[T]]) -> T:
        """Ask with the schemas of these kinds; if a field has vanished meanwhile, describe anew and ask once more."""
        for last in (False, True):
            schemas = {kind.name: await self.schema(kind) for kind in kinds}
            try:
                return await ask(schemas)
            except CallRefused as refused:
                if last or not refused.answer.has("INVALID_FIELD"):
                    raise _query_error(refused) from refused
                for kind in kinds:
                    self._schemas.forget(self.user_id, kind.salesforce_object)
        raise AssertionError("unreachable: the last attempt returns or raises")


def _query_error(refused: CallRefused) -> SyncError:
    """Of a query whose columns are right: what names a field that does not exist is the search."""
    error = refused.answer.error()
    return Permanent(Code.PROFILE_INVALID, error.text) if error.code is Code.FIELD_NOT_WRITABLE else error


def _looks_outside(read: SalesforceRead, position: Position) -> bool:
    return bool(read.outside) and position.first and not read.ids_only


def _page(read: SalesforceRead, position: Position, inside: Rows, outside: Rows | None, schema: Schema) -> SalesforcePage:
    state, more = position.next(inside.records, done=not inside.next, date=inside.date)
    items: list[Seen] = []
    if read.ids_only:
        items += [to_mere_item(row) for row in inside.records]
    else:
        known = {row["Id"] for row in inside.records}
        items += [to_seen(row, read.kind, schema, Place.INSIDE) for row in inside.records]
        items += [to_seen(row, read.kind, schema, Place.OUTSIDE) for row in (outside.records if outside else []) if row["Id"] not in known]
    last = (to_18(inside.records[-1]["Id"]) if more else LAST) if position.full else ""
    return SalesforcePage(
        items=tuple(items),
        state=state,
        more=more,
        full=position.full,
        first_id=position.after if position.full else "",
        last_id=last,
        date=inside.date,
    )
