"""The pieces of work that are measured: each prepares people in the sandbox, has the work done by a process of its own, and counts.

What a scenario needs (somebody whose contacts are synced already) is made once and shared, so any of them can be run alone.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from local.bench.child import Answer, Child
from local.bench.costs import MEGABYTE, Bound, Cost, Row, first_sync_bounds, memory_bounds, quiet_bounds, update_bounds
from local.bench.tenant import Person, Tenant
from local.sandbox.world import GRAPH, SALESFORCE
from local.stack.stack import NEVER, Names, Stack

LATENCY = 0.04
"""Seconds that the sandbox takes for every request, besides its own work. Azurite is as fast as it is."""
PAST_OVERLAP = 20 * 60
"""Seconds by which both clocks are put ahead, so that the ten minutes in which Salesforce is read again are over."""
MANY_REQUESTS = 9_000
"""A first sync of more contacts would meet Graph's limit of 10,000 requests a mailbox in ten minutes and wait: there it is lifted."""
WARM_UP = 3


class WrongWorkError(Exception):
    """The work was not done, so that its cost means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How many contacts, links or people."""

    first: int = 5_000
    updates: int = 1_000
    few: int = 100
    small: int = 2_000
    large: int = 20_000
    crowd: int = 5_000
    sample: int = 200
    """What the straightforward way does of it; its cost is multiplied. A page of changes."""
    quiet_rounds: int = 30


QUICK = Sizes(first=500, updates=100, few=50, small=500, large=2_000, crowd=500, sample=50, quiet_rounds=20)


@dataclass(kw_only=True)
class Bench:
    """`stack`: its vendors are started. `profiled`: the product's CPU is profiled, and too slow to be judged."""

    stack: Stack
    sizes: Sizes
    say: Callable[[str], None]
    profiled: bool = False
    rows: list[Row] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)
    _ahead: float = 0
    _synced: dict[int, tuple[Person, Cost]] = field(default_factory=dict)
    _plain_pair: tuple[Person, Child] | None = None
    _plain_first: Cost = field(init=False)

    def __post_init__(self) -> None:
        self.control = self.stack.control
        self.tenant = Tenant(self.control)

    # ----------------------------------------------------------------- the scenarios

    def first_sync(self) -> None:
        count, sample = self.sizes.first, self.sizes.sample
        _, plain = self._plain()
        _, cost = self._first_to_outlook(count)
        self._add_first(f"first sync of {count:,}, Salesforce → Outlook", cost, self._plain_first)
        person = self.tenant.add_person("otto")
        self.say(f"typing {count:,} contacts into Outlook …")
        self.tenant.type_into_outlook(person, count)
        with self._worker() as worker:
            ours, _ = self._round(worker, person, {"ContactsToSalesforceNew": count})
        self._expect(len(self.tenant.records(person)), count, "contacts in Salesforce")
        lister = self.tenant.add_person("plain-otto")
        self.tenant.type_into_outlook(lister, sample)
        theirs = self._do_plain(plain, "first_to_salesforce", lister, count=sample)
        self._add_first(f"first sync of {count:,}, Outlook → Salesforce", ours, theirs)

    def _add_first(self, title: str, ours: Cost, theirs: Cost) -> None:
        count, sample = self.sizes.first, self.sizes.sample
        row = Row(title=title, ours=ours, plain=theirs.scaled(count / sample))
        self.rows.append(row)
        self.bounds += first_sync_bounds(title, count, row)

    def memory(self) -> None:
        small, large = (self._first_to_outlook(count)[1] for count in (self.sizes.small, self.sizes.large))
        for count, cost in ((self.sizes.small, small), (self.sizes.large, large)):
            self.rows.append(Row(title=f"memory: first sync of {count:,}, Salesforce → Outlook", ours=cost))
        self.bounds += memory_bounds(small, large)

    def quiet(self) -> None:
        people = {count: self._first_to_outlook(count)[0] for count in (self.sizes.few, self.sizes.large)}
        times = self.sizes.quiet_rounds
        costs: dict[int, list[Cost]] = {count: [] for count in people}
        self._let_time_pass()
        with self._worker() as worker:
            for number in range(-WARM_UP, times):  # in turns: whatever else the machine does meets both
                for count, person in people.items():
                    cost, _ = self._round(worker, person, None if number < 0 else {})
                    if number >= 0:
                        costs[count].append(cost)
        person, plain = self._plain()
        theirs = self._do_plain(plain, "quiet", person, times=times).scaled(1 / times)
        theirs = replace(theirs, graph=1, graph_writes=0, salesforce=1)
        mean = {count: _mean(each) for count, each in costs.items()}
        worst = {count: _worst(each, mean[count]) for count, each in costs.items()}
        for count, cost in mean.items():
            self.rows.append(Row(title=f"a quiet round with {count:,} links", ours=cost, plain=theirs))
        self.bounds += quiet_bounds(worst[self.sizes.few], worst[self.sizes.large], theirs)

    def updates(self) -> None:
        first, count, sample = self.sizes.first, self.sizes.updates, self.sizes.sample
        person, _ = self._first_to_outlook(first)
        plain_person, plain = self._plain()
        with self._worker() as worker:
            self._let_time_pass(worker)
            self._round(worker, person, None)
            self._round(worker, person, {})
            part = first // 200
            linked = {_stamp(item): item["id"] for item in self.tenant.items(person)}
            records = list(linked)
            self.tenant.edit_in_salesforce(person, records[:part], "Head of one percent")
            self.tenant.edit_in_outlook(person, [linked[one] for one in records[part : 2 * part]], "Head of the other half")
            ours, _ = self._round(worker, person, {"ContactsToOutlookUpdated": part, "ContactsToSalesforceUpdated": part})
            halves = [self._do_plain(plain, f"update_{side}", plain_person, count=min(part, sample)) for side in ("outlook", "salesforce")]
            theirs = _sum(halves).scaled(part / min(part, sample))
            self.rows.append(Row(title=f"1 % of {first:,} changed, half on each side", ours=ours, plain=theirs))
            self._let_time_pass(worker)
            self._round(worker, person, None)
            self.tenant.edit_in_salesforce(person, records[:count], "Chief")
            ours, _ = self._round(worker, person, {"ContactsToOutlookUpdated": count})
            theirs = self._do_plain(plain, "update_outlook", plain_person, count=sample).scaled(count / sample)
            title = f"{count:,} updates, Salesforce → Outlook"
            self.rows.append(Row(title=title, ours=ours, plain=theirs))
            self.bounds += update_bounds(title, count, ours)
            self._let_time_pass(worker)
            self._round(worker, person, None)
            self.tenant.edit_in_outlook(person, [linked[one] for one in records[:count]], "Chief of chiefs")
            ours, _ = self._round(worker, person, {"ContactsToSalesforceUpdated": count})
            theirs = self._do_plain(plain, "update_salesforce", plain_person, count=sample).scaled(count / sample)
            title = f"{count:,} updates, Outlook → Salesforce"
            self.rows.append(Row(title=title, ours=ours, plain=theirs))
            self.bounds += update_bounds(title, count, ours)

    def fan_out(self) -> None:
        count = self.sizes.crowd
        self.say(f"adding {count:,} people …")
        names = self.tenant.add_crowd(count)
        with self._worker(names) as worker:
            for title in ("the first round", "the next round"):
                ours, answer = self._measured(worker, "plan", {})
                self._expect(len(answer["messages"]), count, "messages")
                theirs = self._plain_fan_out(names) if title == "the first round" else None
                self.rows.append(Row(title=f"fan-out to {count:,} users, {title}", ours=ours, plain=theirs))

    def _plain_fan_out(self, names: Names) -> Cost:
        _, plain = self._plain()
        sample, count = self.sizes.sample, self.sizes.crowd
        cost, answer = self._measured(plain, "fan_out", {"group": names.group_id, "count": sample})
        self._expect(answer["members"], count, "members")
        each, once = cost.scaled(count / sample), answer["listing"]
        return replace(each, graph=cost.graph, cpu=each.cpu + once["cpu"], wall=each.wall + once["wall"])

    # ----------------------------------------------------------------- the product

    def _first_to_outlook(self, count: int) -> tuple[Person, Cost]:
        """Somebody whose so many contacts came from Salesforce, and what that took a fresh process."""
        if count not in self._synced:
            person = self.tenant.add_person(f"anna{count}")
            self.say(f"typing {count:,} contacts into Salesforce …")
            self.tenant.type_into_salesforce(person, count)
            limit = self.control.call(GRAPH, "knobs.requests_per_ten_minutes")
            if count > MANY_REQUESTS:
                self.control.call(GRAPH, "knobs", requests_per_ten_minutes=10 * count)
            with self._worker() as worker:
                cost, _ = self._round(worker, person, {"ContactsToOutlookNew": count})
            self.control.call(GRAPH, "knobs", requests_per_ten_minutes=limit)
            self._expect(len(self.tenant.items(person)), count, "contacts in Outlook")
            self._synced[count] = person, cost
        return self._synced[count]

    @contextmanager
    def _worker(self, names: Names | None = None) -> Iterator[Child]:
        with self._child("local.bench.worker", names or self.tenant.names) as worker:
            worker.ask("ahead", seconds=self._ahead)
            if self.profiled:
                worker.ask("profile", on=True)
            yield worker
            if self.profiled:
                worker.ask("profile", on=False)

    def _child(self, module: str, names: Names) -> Child:
        log = self.stack.directory / f"{module.rpartition('.')[2]}.log"
        return Child(module, log, self.stack.settings(names, NEVER))

    def _round(self, worker: Child, person: Person, expected: dict[str, int] | None) -> tuple[Cost, Answer]:
        """Plan, and measure what the message of this person costs. `expected`: what the runs must have done, and nothing else."""
        messages = [message for message in worker.ask("plan")["messages"] if json.loads(message)["user"] == person.mailbox]
        self._expect(len(messages), 1, "messages")
        cost, answer = self._measured(worker, "sync", {"messages": messages})
        runs = answer["runs"]
        if not runs or any(run["event"] != "RunEnded" for run in runs) or runs[-1]["result"] != "done":
            raise WrongWorkError(f"the runs of {person.upn} did not end well: {runs}")
        done: dict[str, int] = {}
        for run in runs:
            for name, number in run["counts"].items():
                done[name] = done.get(name, 0) + number
        if expected is not None and done != expected:
            raise WrongWorkError(f"the runs of {person.upn} did {done} instead of {expected}")
        for service, counted in (("graph", cost.graph), ("salesforce", cost.salesforce), ("tables", cost.tables)):
            self._expect(sum(run[service] for run in runs), int(counted), f"requests to {service}, by the product's own count,")
        if done:
            what = f"{cost.cpu:.2f} s CPU, {cost.wall:.1f} s, {cost.peak / MEGABYTE:.0f} MB, {len(runs)} runs"
            self.say(f"  {person.upn}: {done}: {what}, table requests {answer['tables']}")
        return cost, answer

    # ----------------------------------------------------------------- the straightforward way

    def _plain(self) -> tuple[Person, Child]:
        """Somebody for whom `sample` contacts went to Outlook the straightforward way, and the process that did it."""
        if self._plain_pair is None:
            person = self.tenant.add_person("plain-anna")
            self.tenant.type_into_salesforce(person, self.sizes.sample)
            child = self._child("local.bench.plain", self.tenant.names)
            child.ask("ahead", seconds=self._ahead)
            self._warm_up(child)
            self._plain_first = self._do_plain(child, "first_to_outlook", person, count=self.sizes.sample)
            self._plain_pair = person, child
        return self._plain_pair

    def _warm_up(self, child: Child) -> None:
        """What its libraries do the first time (they import late) is not multiplied. Ours is measured with it."""
        person = self.tenant.add_person("plain-early")
        self.tenant.type_into_salesforce(person, WARM_UP)
        for do in ("first_to_outlook", "update_outlook", "update_salesforce"):
            self._do_plain(child, do, person, count=WARM_UP)
        other = self.tenant.add_person("plain-early-too")
        self.tenant.type_into_outlook(other, WARM_UP)
        self._do_plain(child, "first_to_salesforce", other, count=WARM_UP)

    def _do_plain(self, child: Child, do: str, person: Person, **arguments: Any) -> Cost:
        named = {"username": person.username, "upn": person.upn, "folder": person.folder}
        cost, answer = self._measured(child, do, {**named, **arguments})
        self._expect(answer["records"], arguments.get("count", arguments.get("times")), f"records of {do}")
        self.say(f"  the straightforward way, {do} of {answer['records']}: {cost.cpu:.2f} s CPU, {cost.wall:.1f} s")
        return cost

    def close(self) -> None:
        if self._plain_pair is not None:
            self._plain_pair[1].stop()

    # ----------------------------------------------------------------- counting

    def _measured(self, child: Child, do: str, arguments: dict[str, Any]) -> tuple[Cost, Answer]:
        self.control.set_latency(LATENCY)
        self.control.reset_counters()
        answer = child.ask(do, **arguments)
        self.control.set_latency(0)
        counts = self.control.counters()
        asked = {service: sum(n for count, n in counts.items() if count.service == service) for service in (GRAPH, SALESFORCE)}
        logins = sum(n for count, n in counts.items() if count.template.endswith("/oauth2/token"))
        cost = Cost(
            graph=asked[GRAPH],
            graph_writes=self._graph_writes(),
            salesforce=asked[SALESFORCE] - logins,
            logins=logins,
            tables=sum(answer["tables"].values()),
            cpu=answer["cpu"],
            wall=answer["wall"],
            peak=answer["peak"],
        )
        return cost, answer

    def _graph_writes(self) -> int:
        """Requests that wrote, of which a batch is one."""
        writes = 0
        for line in self.control.journal(last=100_000):
            if line["service"] != GRAPH or line["method"] == "GET":
                continue
            batch = line["path"].endswith("/$batch")
            writes += not batch or any(step["method"] != "GET" for step in json.loads(line["body"])["requests"])
        return writes

    def _let_time_pass(self, worker: Child | None = None) -> None:
        """For the sandbox and for the product alike."""
        self.control.advance(PAST_OVERLAP)
        self._ahead += PAST_OVERLAP
        for child in (worker, self._plain_pair[1] if self._plain_pair else None):
            if child is not None:
                child.ask("ahead", seconds=self._ahead)

    def _expect(self, found: float, wanted: float | None, what: str) -> None:
        if found != wanted:
            raise WrongWorkError(f"{what}: {found} instead of {wanted}")


def _stamp(item: dict[str, Any]) -> str:
    """The Salesforce id that an item carries."""
    return str(item["singleValueExtendedProperties"][0]["value"])


def _mean(costs: Sequence[Cost]) -> Cost:
    return replace(_sum(costs).scaled(1 / len(costs)), peak=max(cost.peak for cost in costs))


def _worst(costs: Sequence[Cost], mean: Cost) -> Cost:
    """The most requests that any of them made, with the mean CPU."""
    most = {name: max(getattr(cost, name) for cost in costs) for name in ("graph", "salesforce", "tables")}
    return replace(mean, **most)


def _sum(costs: Sequence[Cost]) -> Cost:
    names = ("graph", "graph_writes", "salesforce", "logins", "tables", "cpu", "wall")
    return Cost(**{name: sum(getattr(cost, name) for cost in costs) for name in names}, peak=max(cost.peak for cost in costs))
