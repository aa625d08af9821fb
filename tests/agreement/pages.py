"""Reads the pages: sections by heading, and the cells of their tables."""

import re
from functools import cache
from itertools import dropwhile, takewhile

from local.stack.process import ROOT


@cache
def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(name: str, heading: str) -> str:
    """The text under a heading of the second level. Fails if there is none."""
    parts = re.split(r"^## (.+)$", page(name), flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    assert heading in sections, f"{name} has no section '{heading}'"
    return sections[heading]


def cells(text: str) -> list[list[str]]:
    """The rows of the first table of a text, without its head."""
    lines = list(takewhile(lambda line: line.startswith("|"), dropwhile(lambda line: not line.startswith("|"), text.splitlines())))
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] for line in lines[2:]]
