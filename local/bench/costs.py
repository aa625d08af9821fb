"""What work has cost, and what it may cost. Pure: numbers in, numbers and verdicts out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Requests, seconds of CPU and wall, bytes. `graph` and `salesforce` are HTTP requests as the sandbox counted them."""

    graph: float = 0
    graph_writes: float = 0
    """Of these, the ones that wrote something."""
    salesforce: float = 0
    """Without logins."""
    logins: float = 0
    tables: float = 0
    """Requests to the table service: transactions, point reads and pages of scans."""
    cpu: float = 0
    wall: float = 0
    peak: float = 0

    def scaled(self, factor: float) -> "Cost":
        """The same for `factor` times as many records. Memory is left as it is, and so are logins."""
        return replace(
            self,
            graph=self.graph * factor,
            graph_writes=self.graph_writes * factor,
            salesforce=self.salesforce * factor,
            tables=self.tables * factor,
            cpu=self.cpu * factor,
            wall=self.wall * factor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: a piece of work, done by us and in the straightforward way (if it was)."""

    title: str
    ours: Cost
    plain: Cost | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """`measured` must be at most `limit`, and at least `least`."""

    what: str
    measured: float
    limit: float
    least: float = 0

    @property
    def kept(self) -> bool:
        return self.least <= self.measured <= self.limit


def first_sync_bounds(title: str, count: int, row: Row) -> list[Bound]:
    """Of `count` contacts. Claims are included in the tables' requests."""
    ours = row.ours
    bounds = [
        Bound(what=f"{title}: Graph writes ≤ N/20 + 5 %", measured=ours.graph_writes, limit=count / 20 * 1.05),
        Bound(what=f"{title}: Salesforce calls ≤ N/100 + N/2000 + 10", measured=ours.salesforce, limit=count / 100 + count / 2000 + 10),
        Bound(what=f"{title}: table requests ≤ N/15 + 20", measured=ours.tables, limit=count / 15 + 20),
    ]
    if row.plain is not None:
        bounds.append(Bound(what=f"{title}: CPU ≤ 1/5 of the straightforward way's", measured=ours.cpu / row.plain.cpu, limit=1 / 5))
    return bounds


def update_bounds(title: str, count: int, ours: Cost) -> list[Bound]:
    limit = count / 25 + count / 2000 + 10
    return [Bound(what=f"{title}: Salesforce calls ≤ N/25 + N/2000 + 10", measured=ours.salesforce, limit=limit)]


def quiet_bounds(small: Cost, large: Cost, plain: Cost) -> list[Bound]:
    """Of one round of one user. `small` and `large` differ in the number of links only; the counts are those of the worst round."""
    bounds = []
    for title, cost in (("few links", small), ("many links", large)):
        bounds += [
            Bound(what=f"quiet, {title}: Graph requests = 1", measured=cost.graph, limit=1, least=1),
            Bound(what=f"quiet, {title}: Salesforce calls ≤ 1", measured=cost.salesforce, limit=1),
            Bound(what=f"quiet, {title}: table requests ≤ 5", measured=cost.tables, limit=5),
            Bound(what=f"quiet, {title}: CPU ≤ 2 × the straightforward way's", measured=cost.cpu / plain.cpu, limit=2),
        ]
    counts = sum(abs(getattr(small, name) - getattr(large, name)) for name in ("graph", "salesforce", "tables"))
    return [
        *bounds,
        Bound(what="quiet: the same counts with few and many links", measured=counts, limit=0),
        Bound(what="quiet: CPU with many links ≤ 1.2 × with few", measured=large.cpu / small.cpu, limit=1.2),
    ]


def memory_bounds(small: Cost, large: Cost) -> list[Bound]:
    return [
        Bound(what="memory: peak with few contacts ≤ 200 MB", measured=small.peak / MEGABYTE, limit=200),
        Bound(what="memory: peak with many contacts ≤ 200 MB", measured=large.peak / MEGABYTE, limit=200),
        Bound(what="memory: many is as few, ± 20 %", measured=large.peak / small.peak, limit=1.2, least=0.8),
    ]


def table_of(rows: Sequence[Row]) -> list[str]:
    """Markdown, one line for each way of each piece of work."""
    lines = [
        "| Work | Way | Graph (writes) | Salesforce | Tables | CPU s | Wall s | Peak MB | CPU ratio |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        for way, cost in (("Tandem", row.ours), ("straightforward", row.plain)):
            if cost is None:
                continue
            ratio = f"{row.plain.cpu / row.ours.cpu:.1f} ×" if cost is row.ours and row.plain is not None else ""
            numbers = [
                _whole(cost.salesforce),
                _whole(cost.tables),
                _seconds(cost.cpu),
                _seconds(cost.wall),
                f"{cost.peak / MEGABYTE:.0f}",
                ratio,
            ]
            title = row.title if cost is row.ours else ""
            lines.append(f"| {title} | {way} | {_whole(cost.graph)} ({_whole(cost.graph_writes)}) | {' | '.join(numbers)} |")
    return lines


def verdicts(bounds: Sequence[Bound]) -> list[str]:
    """Markdown."""
    lines = ["| Bound | Measured | Limit | |", "|---|--:|--:|---|"]
    for bound in bounds:
        limit = f"{bound.least:g} … {bound.limit:g}" if bound.least else f"{bound.limit:.4g}"
        lines.append(f"| {bound.what} | {bound.measured:.3g} | {limit} | {'kept' if bound.kept else '**BROKEN**'} |")
    return lines


def _whole(number: float) -> str:
    return f"{number:,.0f}" if number == int(number) or number >= 100 else f"{number:.1f}"


def _seconds(number: float) -> str:
    return f"{number:.1f}" if number >= 10 else f"{number:.3f}" if number < 1 else f"{number:.2f}"
