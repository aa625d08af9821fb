"""Keyed hashes of field values: what the state tables hold instead of personal data.

A hash is the first 9 bytes of HMAC-SHA-256 over kind-neutral `field NUL value`, as 12 characters of URL-safe Base64. The key is a
secret of its own (SYNC_HASH_KEY), so that a table of hashes cannot be searched with a dictionary of telephone numbers.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeAlias

from shared.records import Fields, Value

EMPTY = "-"
"""The hash of an empty field; it needs no key."""

Half: TypeAlias = Mapping[str, str]
"""Field name → hash: what one side held at the last agreement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """What each side held at the last agreement. A field missing from a half has no usable base."""

    salesforce: Half = field(default_factory=dict)
    outlook: Half = field(default_factory=dict)


Hasher: TypeAlias = Callable[[str, Value], str]


def hasher(key: bytes, comparable: Callable[[str, str], str] = lambda _name, value: value) -> Hasher:
    """A function `(field, value) → hash`. `comparable` brings a value into the form in which equal things look equal."""

    def fingerprint(name: str, value: Value) -> str:
        if value is None:
            return EMPTY
        text = f"{name}\0{comparable(name, value)}".encode()
        return urlsafe_b64encode(hmac.digest(key, text, sha256)[:9]).decode()

    return fingerprint


def half(hash_of: Hasher, fields: Fields) -> Half:
    """The base of one side that holds `fields`."""
    return {name: hash_of(name, value) for name, value in fields.items()}


def key_mark(key: bytes) -> str:
    """Eight characters that tell two keys apart and say nothing about either."""
    return urlsafe_b64encode(hmac.digest(key, b"tandem key mark", sha256)[:6]).decode()


def opaque(text: str) -> str:
    """A 32-character name for an id that may hold characters a table key forbids; case is kept apart."""
    return urlsafe_b64encode(sha256(text.encode()).digest()[:24]).decode()
