"""Salesforce ids: 15 case-sensitive characters, or 18 with a suffix that makes them differ in a case-insensitive world too.

Everything of ours holds the 18-character form; messages and URLs of the service sometimes show the short one.
Source: Salesforce knowledge article 000383751, "Convert 15 character IDs to 18 character IDs".
"""

import re

_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")


def is_id(text: str) -> bool:
    """Whether it has the form of an id; nothing else may be put into a path."""
    return _ID.fullmatch(text) is not None


def to_18(text: str) -> str:
    """The 18-character form of an id in either form."""
    if len(text) != 15:
        return text
    chunks = (text[0:5], text[5:10], text[10:15])
    return text + "".join(_CHECK[sum(1 << at for at, letter in enumerate(chunk) if letter.isupper())] for chunk in chunks)
