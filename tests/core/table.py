"""Prints the decision table as the rows of `docs/sync-rules.md`: `python -m tests.core.table`."""

from sync.core.decide import TABLE


def lines() -> list[str]:
    """A row for each pair of standings, in the order of the code."""
    return [f"| {here} | {there} | {verdict} | {reason} |" for (here, there), (verdict, reason) in TABLE.items()]


def markdown() -> str:
    return "\n".join(["| Salesforce | Outlook | decision | reason |", "|---|---|---|---|", *lines()])


if __name__ == "__main__":
    print(markdown())
