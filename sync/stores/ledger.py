"""What is told to people about one user and kind: errors, questions, approvals and the journal behind one port (`ports.Ledger`)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from shared.records import Side
from sync.keeping import Pending
from sync.ports import Answer, Before, Clock, Question, Tables, Trouble
from sync.stores.approvals import Approvals, Doomed, Status
from sync.stores.conflicts import Conflicts
from sync.stores.errors import Errors, Report, pair_key
from sync.stores.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLedger:
    """`link_to`: a Salesforce id → the address where a browser shows the record."""

    tables: Tables
    clock: Clock
    user: str
    name: str
    kind: str
    run: str
    link_to: Callable[[str], str]
    book: Journal

    async def report(self, troubles: Sequence[Trouble]) -> None:
        reports = [
            Report(
                code=trouble.code,
                text=trouble.text,
                kind=self.kind,
                name=trouble.name,
                side=trouble.side,
                field=trouble.field,
                salesforce_id=trouble.salesforce_id,
                outlook_id=trouble.outlook_id,
                salesforce_link=self.link_to(trouble.salesforce_id),
            )
            for trouble in troubles
        ]
        await Errors(self.tables).report(self.user, self.name, reports, now=self.clock.now(), run=self.run)

    async def solve(self, names: Sequence[str]) -> None:
        await Errors(self.tables).solve(self.user, {pair_key(self.kind, name) for name in names})

    async def ask(self, questions: Sequence[Question]) -> None:
        await Conflicts(self.tables).ask(self.user, self.name, self.kind, questions, now=self.clock.now(), run=self.run)

    async def answers(self) -> Sequence[Answer]:
        return await Conflicts(self.tables).answers(self.user, self.kind)

    async def close(self, names: Sequence[str]) -> None:
        conflicts = Conflicts(self.tables)
        answered = [answer for answer in await conflicts.answers(self.user, self.kind) if answer.name in names]
        await conflicts.decide(self.user, self.kind, answered, now=self.clock.now(), run=self.run)
        moot = set(names) - {answer.name for answer in answered}
        if moot:
            await conflicts.close(self.user, self.kind, moot)

    async def journal(self, entries: Sequence[Before]) -> None:
        await self.book.write(self.user, self.name, self.kind, entries, now=self.clock.now(), run=self.run)

    async def hold(self, approval: str, deletions: Sequence[Pending], links: int) -> None:
        doomed = [Doomed(side=one.side or Side.OUTLOOK, salesforce_id=one.salesforce_id, outlook_id=one.outlook_id) for one in deletions]
        await Approvals(self.tables).hold(
            self.user, self.name, self.kind, approval, doomed, links=links, now=self.clock.now(), run=self.run
        )

    async def approval(self, approval: str) -> str | None:
        row = await Approvals(self.tables).get(self.user, self.kind, approval)
        return None if row is None or row.status not in (Status.WAITING, Status.APPROVED) else row.decision.strip().lower()

    async def finish(self, approval: str, state: str) -> None:
        await Approvals(self.tables).finish(self.user, self.kind, approval, Status(state))


def link_to(instance: str, object_name: str) -> Callable[[str], str]:
    return lambda one: f"{instance}/lightning/r/{object_name}/{quote(one)}/view" if one.isalnum() and len(one) in (15, 18) else ""
