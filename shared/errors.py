"""Every error the product knows, and what is to be done about each: the one place that decides.

    SyncError
    ├── Temporary        the same attempt may succeed later
    │   └── Unknown      a request that changes something was cut: it may have taken effect
    └── Permanent        it will fail again until somebody or something changes

Vendor codes become ours in `sync/connectors/*/errors.py`; the catalogue below says how far each one reaches, who can
mend it and how. A message says what happened, to which record and what comes next; it holds no personal data and no secret.
"""

from dataclasses import dataclass
from enum import StrEnum


class Reach(StrEnum):
    """What an error stops."""

    NOTICE = "notice"  # nothing: it is only told
    ITEM = "item"
    USER = "user"
    EVERYTHING = "everything"


class Mender(StrEnum):
    """Who can make it go away."""

    ITSELF = "nobody needs to"
    USER = "the user"
    ADMINISTRATOR = "an administrator"


class Code(StrEnum):
    # an item
    REQUIRED_FIELD_MISSING = "RequiredFieldMissing"
    INVALID_VALUE = "InvalidValue"
    VALUE_TOO_LONG = "ValueTooLong"
    VALIDATION_RULE = "ValidationRule"
    DUPLICATE_RULE = "DuplicateRule"
    FIELD_NOT_WRITABLE = "FieldNotWritable"
    NO_ACCESS_TO_RECORD = "NoAccessToRecord"
    RECORD_LOCKED = "RecordLocked"
    ROW_BUSY = "RowBusy"
    CUSTOMER_CODE = "CustomerCode"
    INACTIVE_OWNER = "InactiveOwner"
    SEVERAL_CANDIDATES = "SeveralCandidates"
    POSSIBLE_COPY = "PossibleCopy"
    CONFLICT = "Conflict"
    PING_PONG = "PingPong"
    CHANGED_MEANWHILE = "ChangedMeanwhile"
    OUTCOME_UNKNOWN = "OutcomeUnknown"
    DELETIONS_HELD = "DeletionsHeld"
    CLAIMED_ELSEWHERE = "ClaimedElsewhere"
    REFUSED = "Refused"
    GONE = "Gone"
    COMPANY_NOT_FOUND = "CompanyNotFound"
    # a user
    NO_MAILBOX = "NoMailbox"
    MAILBOX_ACCESS_DENIED = "MailboxAccessDenied"
    MAILBOX_FULL = "MailboxFull"
    NO_SALESFORCE_USER = "NoSalesforceUser"
    SEVERAL_SALESFORCE_USERS = "SeveralSalesforceUsers"
    INACTIVE_SALESFORCE_USER = "InactiveSalesforceUser"
    NOT_AUTHORISED = "NotAuthorised"
    API_DISABLED = "ApiDisabled"
    IDENTITY_CHANGED = "IdentityChanged"
    CAP_EXCEEDED = "CapExceeded"
    PROFILE_INVALID = "ProfileInvalid"
    NO_ACCESS_TO_OBJECT = "NoAccessToObject"
    UNKNOWN_USER = "UnknownUser"
    MALFORMED_MESSAGE = "MalformedMessage"
    RUN_FAILED = "RunFailed"
    # everything
    SETTINGS_INVALID = "SettingsInvalid"
    GRAPH_PERMISSION_MISSING = "GraphPermissionMissing"
    GRAPH_LOGIN_REFUSED = "GraphLoginRefused"
    GROUP_NOT_FOUND = "GroupNotFound"
    SALESFORCE_LOGIN_REFUSED = "SalesforceLoginRefused"
    SALESFORCE_DAILY_LIMIT = "SalesforceDailyLimit"
    SALESFORCE_STORAGE_FULL = "SalesforceStorageFull"
    TABLES_DENIED = "TablesDenied"
    # passing
    THROTTLED = "Throttled"
    UNAVAILABLE = "Unavailable"
    NETWORK = "Network"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the catalogue."""

    reach: Reach
    mender: Mender
    meaning: str
    remedy: str


_I, _U, _E, _N = Reach.ITEM, Reach.USER, Reach.EVERYTHING, Reach.NOTICE
_SELF, _USER, _ADMIN = Mender.ITSELF, Mender.USER, Mender.ADMINISTRATOR

CATALOGUE: dict[Code, Entry] = {
    Code.REQUIRED_FIELD_MISSING: Entry(_I, _USER, "Salesforce requires a field that is empty.", "Fill the field named in the row, on either side."),
    Code.INVALID_VALUE: Entry(_I, _USER, "The other side does not accept the value of a field.", "Correct the field named in the row."),
    Code.VALUE_TOO_LONG: Entry(_I, _USER, "A value is longer than the field on the other side.", "Shorten the field named in the row."),
    Code.VALIDATION_RULE: Entry(_I, _USER, "A validation rule of Salesforce refused the record.", "Do as the rule's text in the row says."),
    Code.DUPLICATE_RULE: Entry(_I, _USER, "A duplicate rule of Salesforce refused the record.", "Merge with the existing record, or change the record so that it is told apart."),
    Code.FIELD_NOT_WRITABLE: Entry(_I, _ADMIN, "The user may not write a field in Salesforce.", "Grant edit access to the field, or undo the edit in Outlook."),
    Code.NO_ACCESS_TO_RECORD: Entry(_I, _ADMIN, "The user may not change the record in Salesforce.", "Grant access to the record or to the record it refers to."),
    Code.RECORD_LOCKED: Entry(_I, _SELF, "The record is locked by an approval process.", "It is tried again; unlock the record to speed it up."),
    Code.ROW_BUSY: Entry(_I, _SELF, "Somebody else was writing the same record.", "It is tried again."),
    Code.CUSTOMER_CODE: Entry(_I, _ADMIN, "A trigger or flow of the Salesforce org failed.", "Look at the text in the row; mend the trigger or flow."),
    Code.INACTIVE_OWNER: Entry(_I, _ADMIN, "The record's owner is inactive in Salesforce.", "Give the record to an active user."),
    Code.SEVERAL_CANDIDATES: Entry(_I, _USER, "Several existing records could be the same person.", "Set Decision of the row in SyncConflicts: an id of the candidates, or 'create'."),
    Code.POSSIBLE_COPY: Entry(_I, _USER, "It looks like a copy of a contact that is synced already.", "Delete one of them, or set Decision of the row in SyncConflicts to 'create'."),
    Code.CONFLICT: Entry(_I, _USER, "The same field was changed on both sides to different values.", "Set Decision of the row in SyncConflicts: 'salesforce' or 'outlook'."),
    Code.PING_PONG: Entry(_I, _ADMIN, "The two sides, or another sync product, keep rewriting the same field.", "Find what rewrites the record; the sync waits an hour between attempts."),
    Code.CHANGED_MEANWHILE: Entry(_I, _SELF, "The record kept changing while it was being written.", "It is tried again."),
    Code.OUTCOME_UNKNOWN: Entry(_I, _SELF, "A request was cut before it was answered.", "Its outcome is looked up before anything is repeated."),
    Code.DELETIONS_HELD: Entry(_I, _ADMIN, "More deletions than the guard allows were found.", "Set Decision of the row in SyncApprovals: 'approve' or 'reject'."),
    Code.CLAIMED_ELSEWHERE: Entry(_I, _SELF, "A colleague's run is creating the same record.", "It is looked for again and linked."),
    Code.REFUSED: Entry(_I, _ADMIN, "The service refused the record.", "Look at the text in the row."),
    Code.GONE: Entry(_I, _SELF, "The record disappeared while it was being written.", "It is looked at again."),
    Code.COMPANY_NOT_FOUND: Entry(_N, _USER, "No account has exactly the company's name; the account was left as it is.", "Create or rename the account, or correct the company in Outlook."),
    Code.NO_MAILBOX: Entry(_U, _ADMIN, "The user has no mailbox in Exchange Online.", "Assign a licence with a mailbox, or switch the user off in SyncUsers."),
    Code.MAILBOX_ACCESS_DENIED: Entry(_U, _ADMIN, "The app may not open this mailbox.", "Include the mailbox in the app's Exchange role assignment or access policy."),
    Code.MAILBOX_FULL: Entry(_U, _USER, "The mailbox is over its quota.", "Free space in the mailbox."),
    Code.NO_SALESFORCE_USER: Entry(_U, _ADMIN, "No active Salesforce user matches the person.", "Set FederationIdentifier in Salesforce to the user principal name, or name the user in SyncUsers."),
    Code.SEVERAL_SALESFORCE_USERS: Entry(_U, _ADMIN, "Several Salesforce users match the person.", "Name the right one in SyncUsers, column SalesforceUsername."),
    Code.INACTIVE_SALESFORCE_USER: Entry(_U, _ADMIN, "The Salesforce user is inactive.", "Activate the user, or switch the person off in SyncUsers."),
    Code.NOT_AUTHORISED: Entry(_U, _ADMIN, "The Salesforce user is not authorised for the app.", "Pre-authorise the user's profile or permission set in the External Client App."),
    Code.API_DISABLED: Entry(_U, _ADMIN, "The Salesforce user may not use the API, or needs a high-assurance session.", "Grant 'API Enabled' and drop the session requirement for the app."),
    Code.IDENTITY_CHANGED: Entry(_U, _ADMIN, "The mailbox is bound to another Salesforce user or org.", "Set ConfirmIdentity in SyncUsers to the new Salesforce user id to allow the change."),
    Code.CAP_EXCEEDED: Entry(_U, _ADMIN, "The search holds more contacts than the cap allows.", "Narrow the search, or raise MaxContacts in SyncProfiles."),
    Code.PROFILE_INVALID: Entry(_U, _ADMIN, "A column of SyncProfiles or SyncUsers has a value that is not allowed.", "Correct the column named in the row."),
    Code.NO_ACCESS_TO_OBJECT: Entry(_U, _ADMIN, "The Salesforce user may not read or create contacts.", "Grant the object permission in Salesforce."),
    Code.UNKNOWN_USER: Entry(_U, _ADMIN, "SyncUsers or a message names a user that the directory does not have.", "Correct or delete the row in SyncUsers."),
    Code.MALFORMED_MESSAGE: Entry(_U, _ADMIN, "A message in the queue sync-users could not be understood.", "Nothing was changed; find out who wrote it."),
    Code.RUN_FAILED: Entry(_U, _ADMIN, "A run ended with an unexpected error.", "It starts again by itself; look up the run id in the logs if the row stays."),
    Code.SETTINGS_INVALID: Entry(_E, _ADMIN, "A setting of the app is missing or wrong.", "Correct the setting named in the row."),
    Code.GRAPH_PERMISSION_MISSING: Entry(_E, _ADMIN, "The app lacks a Graph application permission.", "Grant the permission named in docs/operations.md."),
    Code.GRAPH_LOGIN_REFUSED: Entry(_E, _ADMIN, "The app could not get a token for Graph.", "Check the managed identity or the AZURE_ settings."),
    Code.GROUP_NOT_FOUND: Entry(_E, _ADMIN, "The group named by SYNC_GROUP_ID does not exist.", "Set SYNC_GROUP_ID to the object id of a group."),
    Code.SALESFORCE_LOGIN_REFUSED: Entry(_E, _ADMIN, "Salesforce refused the app's key, consumer key or audience.", "Check SALESFORCE_CLIENT_ID, SALESFORCE_PRIVATE_KEY and SALESFORCE_AUDIENCE."),
    Code.SALESFORCE_DAILY_LIMIT: Entry(_E, _SELF, "The org's daily API limit is used up.", "Runs go on when Salesforce allows calls again; buy calls or lengthen SYNC_SCHEDULE."),
    Code.SALESFORCE_STORAGE_FULL: Entry(_E, _ADMIN, "The Salesforce org has no storage left.", "Free or buy storage in Salesforce."),
    Code.TABLES_DENIED: Entry(_E, _ADMIN, "The app may not use its tables or queues.", "Grant Storage Table Data Contributor and Storage Queue Data Contributor."),
    Code.THROTTLED: Entry(_I, _SELF, "The service asked to slow down.", "It is tried again after the time the service named."),
    Code.UNAVAILABLE: Entry(_I, _SELF, "The service was unavailable.", "It is tried again."),
    Code.NETWORK: Entry(_I, _SELF, "The network failed before the service could be reached.", "It is tried again."),
}  # fmt: skip


class SyncError(Exception):
    """The root. `text` is the vendor's or our own sentence; `field` is the vendor's field name where one is to blame."""

    def __init__(self, code: Code, text: str = "", *, field: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(f"{code}: {text or CATALOGUE[code].meaning}")
        self.code = code
        self.text = text or CATALOGUE[code].meaning
        self.field = field
        self.retry_after = retry_after
        """Seconds the service asked to wait."""

    @property
    def entry(self) -> Entry:
        return CATALOGUE[self.code]

    @property
    def reach(self) -> Reach:
        return CATALOGUE[self.code].reach


class Temporary(SyncError):
    """The same attempt may succeed later."""


class Unknown(Temporary):
    """A request that changes something was cut or answered 5xx: it may have taken effect."""


class Permanent(SyncError):
    """It fails again until somebody or something changes."""


class LeaseLost(Exception):
    """Another run took the user over: stop at once, commit nothing."""
