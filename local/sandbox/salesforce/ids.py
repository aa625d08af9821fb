"""Salesforce ids: 15 case-sensitive characters, or 18 with a suffix that survives a case-insensitive world.

Why this file exists: ids of two records can differ by case only, and a client must be tempted to confuse them. The ids
minted here count in base 62, so case twins are frequent. It knows no object.
Source: the Salesforce knowledge article "What are Salesforce ID composed of" and the 15-to-18 algorithm in its Help.
"""

import random

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""In ASCII order, so that the order of ids is the order of their Python strings."""
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def suffix_of(id15: str) -> str:
    """The three check characters of a 15-character id."""
    chunks = (id15[0:5], id15[5:10], id15[10:15])
    return "".join(_CHECK[sum(1 << position for position, char in enumerate(chunk) if "A" <= char <= "Z")] for chunk in chunks)


def to_18(value: str) -> str | None:
    """The 18-character form of an id given in either form (an 18-character one in any case), or None for anything else."""
    if len(value) not in (15, 18) or not value.isascii() or not value.isalnum():
        return None
    if len(value) == 15:
        return value + suffix_of(value)
    head, check = value[:15], value[15:].upper()
    if suffix_of(head) == check:
        return head + check
    if any(char not in _CHECK for char in check):
        return None
    repaired = "".join(
        char.upper() if _CHECK.index(check[position // 5]) >> (position % 5) & 1 else char.lower() for position, char in enumerate(head)
    )
    return repaired + check if suffix_of(repaired) == check else None


def in_base_62(number: int, width: int) -> str:
    """`number` in `width` digits of `DIGITS`."""
    text = ""
    for _ in range(width):
        number, digit = divmod(number, 62)
        text = DIGITS[digit] + text
    return text


class IdMint:
    """Mints ids per key prefix, in ascending order from a place the seed chooses; the order of prefixes does not matter."""

    def __init__(self, rng: random.Random) -> None:
        self._seed = rng.getrandbits(64)
        self._next: dict[str, int] = {}

    def mint(self, prefix: str) -> str:
        """A new 18-character id."""
        number = self._next.get(prefix)
        if number is None:
            number = random.Random(f"{self._seed}{prefix}").randrange(62**4, 62**5)
        self._next[prefix] = number + 1
        id15 = f"{prefix}5g0000{in_base_62(number, 6)}"
        return id15 + suffix_of(id15)
