"""The environment settings: what they are called, what they may hold, and every problem with them at once.

Outside names are the ecosystem's; nothing is read twice and nothing has a second name. What an administrator changes while the product
runs is not here but in the tables SyncUsers and SyncProfiles. Values of secrets appear in no message. It imports nothing of ours.
"""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from urllib.parse import urlsplit

STORAGE = "AzureWebJobsStorage"
SANDBOX_AUDIENCE = "https://test.salesforce.com"
PRODUCTION_AUDIENCE = "https://login.salesforce.com"
HASH_KEY_BYTES = 32
_OURS = ("SYNC_", "SALESFORCE_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A row of the table of settings. `required` without a default; `passed`: only handed on to azure-identity or the host."""

    description: str
    required: bool = False
    default: str = ""
    secret: bool = False
    passed: bool = False


KNOWN: Mapping[str, Setting] = {
    STORAGE: Setting(
        description="Connection string of the storage account; instead of it, the settings with __ use an identity.", secret=True
    ),
    f"{STORAGE}__accountName": Setting(description="Name of the storage account in the public cloud, reached with an identity."),
    f"{STORAGE}__tableServiceUri": Setting(description="Address of the table service, in place of the account's name."),
    f"{STORAGE}__queueServiceUri": Setting(description="Address of the queue service, in place of the account's name."),
    f"{STORAGE}__blobServiceUri": Setting(description="Address of the blob service, for the host.", passed=True),
    f"{STORAGE}__credential": Setting(description="`managedidentity`, for the host.", passed=True),
    f"{STORAGE}__clientId": Setting(description="Client id of the user-assigned identity that opens the storage account."),
    "AZURE_TENANT_ID": Setting(description="Directory (tenant) id, for azure-identity without a managed identity.", passed=True),
    "AZURE_CLIENT_ID": Setting(description="Client id of the app, or of the user-assigned managed identity.", passed=True),
    "AZURE_CLIENT_SECRET": Setting(description="Client secret, for azure-identity without a managed identity.", secret=True, passed=True),
    "AZURE_CLIENT_CERTIFICATE_PATH": Setting(description="Certificate file, in place of the client secret.", passed=True),
    "GRAPH_ENDPOINT": Setting(description="Origin of Microsoft Graph, without `/v1.0`.", default="https://graph.microsoft.com"),
    "SALESFORCE_LOGIN_URL": Setting(description="Origin of the org's My Domain, or of Salesforce's login.", default=PRODUCTION_AUDIENCE),
    "SALESFORCE_AUDIENCE": Setting(
        description=f"Audience of the login token; else `{SANDBOX_AUDIENCE}` for sandbox addresses, `{PRODUCTION_AUDIENCE}` for others."
    ),
    "SALESFORCE_CLIENT_ID": Setting(description="Consumer key of the External Client App.", required=True),
    "SALESFORCE_USERNAME": Setting(description="Username of the integration user, who looks up Salesforce users.", required=True),
    "SALESFORCE_PRIVATE_KEY": Setting(
        description="The app's RSA private key as PEM text; line ends may be written as `\\n`.", required=True, secret=True
    ),
    "SYNC_SCHEDULE": Setting(description="When rounds start: NCRONTAB, six fields, UTC.", default="0 */5 * * * *"),
    "SYNC_ENABLED": Setting(description="`false` switches the whole engine off.", default="true"),
    "SYNC_GROUP_ID": Setting(description="Object id of the Entra group whose members sync; empty: only the list in SyncUsers."),
    "SYNC_HASH_KEY": Setting(
        description="Base64 of at least 32 random bytes; it must never change, or everything is compared afresh.",
        required=True,
        secret=True,
    ),
}
"""Every setting of the product; the documentation is held to it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one setting, and what to do about it."""

    setting: str
    wrong: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.setting} {self.wrong}. {self.remedy}"


class SettingsInvalid(Exception):
    """All problems, each by the setting's name."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Either a connection string, or two addresses and the identity that opens them."""

    connection: str = field(default="", repr=False)
    table_endpoint: str = ""
    queue_endpoint: str = ""
    client_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    storage: Storage
    azure_client_id: str
    """Of the managed identity or app; empty for azure-identity's default."""
    graph_endpoint: str
    salesforce_login_url: str
    salesforce_audience: str
    salesforce_client_id: str
    salesforce_username: str
    salesforce_private_key: str = field(repr=False)
    """PEM with real line ends."""
    schedule: str
    enabled: bool
    group_id: str
    hash_key: bytes = field(repr=False)


def load(environ: Mapping[str, str]) -> Settings:
    """Raises SettingsInvalid with everything that is wrong."""
    reader = _Reader(environ)
    storage = _read_storage(reader)
    login = reader.read("SALESFORCE_LOGIN_URL", _origin)
    settings = Settings(
        storage=storage,
        azure_client_id=reader.text("AZURE_CLIENT_ID"),
        graph_endpoint=reader.read("GRAPH_ENDPOINT", _origin),
        salesforce_login_url=login,
        salesforce_audience=reader.read("SALESFORCE_AUDIENCE", _origin) or audience_of(login),
        salesforce_client_id=reader.text("SALESFORCE_CLIENT_ID"),
        salesforce_username=reader.text("SALESFORCE_USERNAME"),
        salesforce_private_key=reader.read("SALESFORCE_PRIVATE_KEY", _private_key),
        schedule=reader.read("SYNC_SCHEDULE", _schedule),
        enabled=reader.read("SYNC_ENABLED", _switch) != "false",
        group_id=reader.read("SYNC_GROUP_ID", _object_id),
        hash_key=reader.read("SYNC_HASH_KEY", _hash_key).encode("latin-1"),
    )
    reader.refuse_unknown()
    if reader.problems:
        raise SettingsInvalid(tuple(reader.problems))
    return settings


def audience_of(login_url: str) -> str:
    """The audience for a login address: sandboxes have `test.`, or `--` or `.sandbox.` in their My Domain."""
    host = urlsplit(login_url).hostname or ""
    return SANDBOX_AUDIENCE if host.startswith("test.") or "--" in host or ".sandbox." in host else PRODUCTION_AUDIENCE


class _Wrong(Exception):
    """A value is not allowed: what is wrong, and the remedy."""

    def __init__(self, wrong: str, remedy: str) -> None:
        super().__init__(wrong)
        self.wrong, self.remedy = wrong, remedy


class _Reader:
    """Reads settings by name and collects what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[Problem] = []

    def has(self, name: str) -> bool:
        return bool(self._environ.get(name, "").strip())

    def problem(self, name: str, wrong: str, remedy: str) -> None:
        self.problems.append(Problem(name, wrong, remedy))

    def text(self, name: str) -> str:
        """The value without surrounding blanks, or the default; '' with a problem where there is none."""
        setting, value = KNOWN[name], self._environ.get(name, "").strip()
        if value.startswith("@Microsoft.KeyVault("):  # App Service hands a reference on as it stands when it could not resolve it
            self.problem(
                name,
                "is a Key Vault reference that was not resolved",
                "Check that the secret exists, and that the app's identity may read secrets of the vault.",
            )
            return ""
        if not value and setting.required:
            self.problem(name, "is missing", f"Set it: {setting.description}")
        return value or setting.default

    def read(self, name: str, parse: Callable[[str], str]) -> str:
        value = self.text(name)
        try:
            return parse(value) if value else ""
        except _Wrong as error:
            self.problem(name, error.wrong, error.remedy)
            return ""

    def refuse_unknown(self) -> None:
        for name in sorted(self._environ):
            if name.startswith(_OURS) and name not in KNOWN:
                near = get_close_matches(name, KNOWN, n=1, cutoff=0.0)
                self.problem(name, "is not a setting of this product", f"Remove it; the nearest name is {near[0]}.")


def _read_storage(reader: _Reader) -> Storage:
    names = [f"{STORAGE}__{part}" for part in ("accountName", "tableServiceUri", "queueServiceUri")]
    account, table, queue = (reader.text(name) for name in names)
    by_identity = any(map(reader.has, names))
    if reader.has(STORAGE):
        if by_identity:
            reader.problem(STORAGE, "is set beside settings for an identity", f"Keep either {STORAGE} or the settings with __.")
        return Storage(connection=reader.text(STORAGE))
    if not by_identity:
        reader.problem(STORAGE, "is missing", f"Set {STORAGE} to a connection string, or {names[0]} to use an identity.")
    elif account:
        if not re.fullmatch(r"[a-z0-9]{3,24}", account):
            reader.problem(names[0], "is not the name of a storage account", "Give the name alone: 3 to 24 small letters and digits.")
        table = table or f"https://{account}.table.core.windows.net"
        queue = queue or f"https://{account}.queue.core.windows.net"
    for name, address in zip(names[1:], (table, queue), strict=True):
        if by_identity and not address:
            reader.problem(name, "is missing", f"Set it beside the other address, or set {names[0]}.")
        elif by_identity and not address.startswith("https://"):
            reader.problem(name, "is not an https address", "Give the address of the service, with https://.")
    return Storage(table_endpoint=table.rstrip("/"), queue_endpoint=queue.rstrip("/"), client_id=reader.text(f"{STORAGE}__clientId"))


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" or not parts.hostname:
        raise _Wrong("is not an https address", "Write it like https://example.my.salesforce.com.")
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
        raise _Wrong("holds more than an origin", f"Write https://{parts.netloc.rpartition('@')[2]} and nothing behind it.")
    return f"https://{parts.netloc}"


def _object_id(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
        raise _Wrong("is not an object id", "Copy the group's Object ID from its overview page in Entra.")
    return value.lower()


def _switch(value: str) -> str:
    if value.lower() not in {"true", "false"}:
        raise _Wrong("is neither true nor false", "Write true, or false to switch the engine off.")
    return value.lower()


def _schedule(value: str) -> str:
    """NCRONTAB (github.com/atifaziz/NCrontab) knows lists, ranges, steps and names; croniter would let more pass."""
    from croniter import croniter  # noqa: PLC0415

    names = "SUN|MON|TUE|WED|THU|FRI|SAT|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
    fields = value.split()
    plain = all(re.fullmatch(rf"(?:[\d*,/-]|{names})+", part, re.IGNORECASE) for part in fields)
    if len(fields) != 6 or not plain or not croniter.is_valid(value, second_at_beginning=True):
        raise _Wrong(
            "is not an NCRONTAB expression of six fields", 'Write second, minute, hour, day, month, weekday, e.g. "0 */5 * * * *".'
        )
    return " ".join(fields)


def _private_key(value: str) -> str:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    remedy = "Give the whole PEM text of the RSA key, from -----BEGIN to -----END, without a password."
    text = value.replace("\\r", "").replace("\\n", "\n").replace("\r\n", "\n")
    if "-----BEGIN" in text and "CERTIFICATE" in text and "PRIVATE KEY" not in text:
        raise _Wrong("is the certificate, not the private key", remedy)
    try:
        key = load_pem_private_key(text.encode(), None)
    except TypeError:
        raise _Wrong("is protected by a password", remedy) from None
    except Exception:  # whatever the library objects to, its words may quote the key
        raise _Wrong("is not a private key in PEM", remedy) from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
        raise _Wrong("is not an RSA key of at least 2,048 bits", "Make one: openssl req -x509 -newkey rsa:4096 -nodes -keyout key.pem …")
    return text if text.endswith("\n") else text + "\n"


def _hash_key(value: str) -> str:
    """The bytes as Latin-1, since a reader answers text."""
    remedy = "Make one: openssl rand -base64 32"
    try:
        key = b64decode(value, validate=True)
    except (NotBase64, ValueError):
        raise _Wrong("is not Base64", remedy) from None
    if len(key) < HASH_KEY_BYTES:
        raise _Wrong(f"holds {len(key)} bytes, fewer than {HASH_KEY_BYTES}", remedy)
    return key.decode("latin-1")
