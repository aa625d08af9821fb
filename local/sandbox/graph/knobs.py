"""What can be made to happen: the unpleasant things the real service does, each one a number.

The default is a calm service. `Knobs.hostile()` turns everything on that a correct client must survive.
"""

from dataclasses import dataclass


@dataclass(slots=True, kw_only=True)
class Knobs:
    """Probabilities are 0..1; times are seconds."""

    p_empty_page: float = 0.0
    """A delta page comes without items but with a nextLink."""
    p_replay: float = 0.0
    """A delta page repeats an item the client may know already, perhaps in an older state."""
    replay_deleted: bool = False
    """A replay may also show an item that does not exist any more."""
    p_duplicate: float = 0.0
    """An item of a delta page comes again later in the same round."""
    p_ghost_removed: float = 0.0
    """An item that appeared and went between two reads is reported as removed."""
    p_fresh_page: float = 0.0
    """A page shows the items as they are now instead of as they were when the round began."""
    shuffle_delta: bool = False
    """Delta pages do not come in the order of change."""
    odd_links: bool = False
    """Delta links come in the other spellings: lower-case segments, `('id')` keys, `microsoft.graph.delta()`."""
    delta_lag: float = 0.0
    """A change shows in delta only after so many seconds."""
    delta_page_size: int = 0
    """A cap under what the client asks for; 0 = none."""
    delta_default_page_size: int = 100
    delta_generations: int = 3
    """How many generations of a token chain the service remembers."""
    delta_chains: int = 500
    """How many token chains a mailbox remembers; the oldest is evicted."""
    odd_expiry: bool = False
    """A forgotten delta link is answered in any of the documented ways, not only as Outlook is known to."""
    endless_delta: bool = False
    """A round never ends: the same page comes again and again, each time with a fresh nextLink."""
    p_lost_removal: float = 0.0
    """A removal is never told."""
    p_transient_412: float = 0.0
    """A conditional or unconditional write of an item answers 412 without reason."""
    shuffle_batch: bool = True
    """Independent batch items are carried out, and all are answered, in any order."""
    directory_lag: float = 0.0
    """Seconds until a change of a group's members shows in the index behind `ConsistencyLevel: eventual`."""
    addresses_merge: bool = False
    """A PATCH of an address keeps the parts it does not name (the documents do not say whether it does)."""
    notes_crlf: bool = False
    """Line ends in personalNotes come back as CRLF, as Exchange's text body conversion writes them."""
    deleted_names_collide: bool = False
    """Deleting a folder fails when one of the same name lies in Deleted Items."""
    requests_per_ten_minutes: int = 10_000
    upload_bytes_per_five_minutes: int = 150 * 1024 * 1024
    connections_per_mailbox: int = 4

    @classmethod
    def hostile(cls) -> "Knobs":
        return cls(
            p_empty_page=0.2,
            p_replay=0.2,
            p_duplicate=0.1,
            p_ghost_removed=0.5,
            p_fresh_page=0.5,
            shuffle_delta=True,
            odd_links=True,
            odd_expiry=True,
            p_transient_412=0.03,
            notes_crlf=True,
            delta_lag=2.0,
        )
