"""Makes the names the service gives: item ids, change keys, GUIDs, all from one seeded source.

Item ids are about 150 characters of base64url, are case-sensitive, and now and then a new one differs from its
neighbour by the case of one letter only, as Exchange ids can. It knows nothing of what an id stands for.
"""

import base64
import random
import string
import uuid
from collections.abc import Callable

_ALPHABET = string.ascii_letters + string.digits + "-_"
_LENGTH = 151


class IdMint:
    """Unique ids of one tenant."""

    def __init__(self, rng: random.Random, *, p_case_twin: float = 0.05) -> None:
        self._rng = rng
        self._given: set[str] = set()
        self._p_case_twin = p_case_twin
        self._last: dict[str, str] = {}
        self._change = 0

    def guid(self) -> str:
        return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))

    def opaque(self, length: int = 120) -> str:
        """A token without meaning."""
        return "".join(self._rng.choices(_ALPHABET, k=length))

    def prefix(self) -> str:
        """What all ids of one mailbox have in common."""
        return self.opaque(88)

    def regular_id(self, mailbox_prefix: str) -> str:
        """An id that changes when the item moves."""
        return self._new("AAMkA" + mailbox_prefix)

    def immutable_id(self, mailbox_prefix: str) -> str:
        return self._new("AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A" + mailbox_prefix[:64])

    def folder_id(self, mailbox_prefix: str) -> str:
        """A container's id, which is constant in either id type and shorter than an item's."""
        return self._unique(lambda: "AAMkA" + mailbox_prefix + self.opaque(22) + "AAA=")

    def change_key(self) -> str:
        """A change key never given before; plain base64, so `/` and `+` occur."""
        self._change += 1
        raw = bytes((0x11, 0, 0, 0, 0x16, 0, 0, 0)) + self._rng.randbytes(16) + self._change.to_bytes(6, "big")
        return base64.b64encode(raw).decode()

    def _new(self, head: str) -> str:
        twin = self._twin(self._last[head]) if head in self._last and self._rng.random() < self._p_case_twin else None
        if twin is not None and twin not in self._given:
            self._given.add(twin)
            made = twin
        else:
            made = self._unique(lambda: head + self.opaque(_LENGTH - len(head)) + "=")
        self._last[head] = made
        return made

    def _unique(self, make: Callable[[], str]) -> str:
        while True:
            made = make()
            if made not in self._given:
                self._given.add(made)
                return made

    def _twin(self, known: str) -> str:
        places = [at for at in range(len(known) - 20, len(known)) if known[at].isalpha()]
        if not places:
            return known
        at = self._rng.choice(places)
        return known[:at] + known[at].swapcase() + known[at + 1 :]
