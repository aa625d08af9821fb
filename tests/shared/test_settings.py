"""Every problem with the settings is told at once, by name, and no secret is in a message."""

from base64 import b64encode
from collections.abc import Mapping
from functools import cache

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.settings import KNOWN, Settings, SettingsInvalid, load

GROUP = "0A1b2c3d-0000-4000-8000-00000000000f"
HASH_KEY = bytes(range(224, 256))


@cache
def pem(kind: str = "rsa", password: str = "") -> str:
    key = rsa.generate_private_key(65537, 1024 if kind == "short" else 2048) if kind != "ec" else ec.generate_private_key(ec.SECP256R1())
    lock = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock).decode()


def good(**changes: str | None) -> dict[str, str]:
    """A complete environment with changes; None takes a setting away."""
    values: dict[str, str | None] = {
        "PATH": "/usr/bin",
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "SALESFORCE_CLIENT_ID": "3MVG9",
        "SALESFORCE_USERNAME": "integration@example.com",
        "SALESFORCE_PRIVATE_KEY": pem(),
        "SYNC_HASH_KEY": b64encode(HASH_KEY).decode(),
        "SYNC_GROUP_ID": GROUP,
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def problems(environ: Mapping[str, str]) -> dict[str, str]:
    with pytest.raises(SettingsInvalid) as caught:
        load(environ)
    assert len({problem.setting for problem in caught.value.problems}) == len(caught.value.problems)
    assert all(problem.remedy and str(problem) in str(caught.value) for problem in caught.value.problems)
    return {problem.setting: problem.wrong for problem in caught.value.problems}


def test_the_least_that_is_needed_brings_defaults_for_the_rest() -> None:
    settings = load(good(SYNC_GROUP_ID=None))
    assert settings.graph_endpoint == "https://graph.microsoft.com"
    assert settings.salesforce_login_url == settings.salesforce_audience == "https://login.salesforce.com"
    assert (settings.schedule, settings.enabled, settings.group_id) == ("0 */5 * * * *", True, "")
    assert settings.hash_key == HASH_KEY
    assert settings.storage.connection == "UseDevelopmentStorage=true"
    assert settings.salesforce_private_key == pem()


def test_an_empty_or_blank_setting_is_a_missing_one() -> None:
    assert load(good(GRAPH_ENDPOINT=" ", SYNC_ENABLED="")).graph_endpoint == "https://graph.microsoft.com"


def test_all_problems_come_at_once_each_by_name() -> None:
    found = problems({"SYNC_SCHEDULE": "*/5 * * * *", "SYNC_ENABLED": "maybe", "SYNC_GROUP": GROUP})
    assert found == {
        "AzureWebJobsStorage": "is missing",
        "SALESFORCE_CLIENT_ID": "is missing",
        "SALESFORCE_USERNAME": "is missing",
        "SALESFORCE_PRIVATE_KEY": "is missing",
        "SYNC_HASH_KEY": "is missing",
        "SYNC_SCHEDULE": "is not an NCRONTAB expression of six fields",
        "SYNC_ENABLED": "is neither true nor false",
        "SYNC_GROUP": "is not a setting of this product",
    }


def test_an_unknown_setting_of_ours_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(SettingsInvalid, match="the nearest name is SALESFORCE_LOGIN_URL"):
        load(good(SALESFORCE_LOGINURL="https://login.salesforce.com"))


@pytest.mark.parametrize("name", [name for name, setting in KNOWN.items() if not setting.passed and "__" not in name])
def test_an_unresolved_vault_reference_is_named_as_such(name: str) -> None:
    reference = "@Microsoft.KeyVault(VaultName=v;SecretName=s)"
    assert problems(good(**{name: reference})) == {name: "is a Key Vault reference that was not resolved"}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (lambda: pem("ec"), "is not an RSA key of at least 2,048 bits"),
        (lambda: pem("short"), "is not an RSA key of at least 2,048 bits"),
        (lambda: pem(password="geheim"), "is protected by a password"),
        (lambda: pem()[:300], "is not a private key in PEM"),
        (lambda: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "is the certificate, not the private key"),
        (lambda: "MIIEvQIBADANBg", "is not a private key in PEM"),
    ],
)
def test_a_key_that_can_not_sign_is_refused_without_being_shown(text: "type[str]", wrong: str) -> None:
    value = text()
    assert problems(good(SALESFORCE_PRIVATE_KEY=value)) == {"SALESFORCE_PRIVATE_KEY": wrong}
    with pytest.raises(SettingsInvalid) as caught:
        load(good(SALESFORCE_PRIVATE_KEY=value))
    assert value[40:60] not in str(caught.value) or not value[40:60]


@pytest.mark.parametrize("written", [pem().replace("\n", "\\n"), pem().replace("\n", "\r\n"), pem().replace("\n", "\\r\\n"), pem().strip()])
def test_line_ends_of_the_key_may_be_written_as_app_settings_can(written: str) -> None:
    assert load(good(SALESFORCE_PRIVATE_KEY=written)).salesforce_private_key == pem()


@pytest.mark.parametrize("key", ["kein Base64!", b64encode(b"x" * 31).decode()])
def test_a_weak_hash_key_is_refused(key: str) -> None:
    assert list(problems(good(SYNC_HASH_KEY=key))) == ["SYNC_HASH_KEY"]


@pytest.mark.parametrize("schedule", ["0 */5 * * * *", "0 0 2-6/2 * * MON-FRI", "30 0,30 * 1 jan,JUL *"])
def test_a_schedule_of_six_fields_is_taken(schedule: str) -> None:
    assert load(good(SYNC_SCHEDULE=f" {schedule} ")).schedule == schedule


@pytest.mark.parametrize(
    "schedule", ["*/5 * * * *", "@hourly", "0 0 0 * * * 2026", "0 61 * * * *", "0 0 L * * *", "0 0 0 ? * *", "00:05:00", "R * * * * *"]
)
def test_a_schedule_that_the_host_would_refuse_is_refused(schedule: str) -> None:
    assert list(problems(good(SYNC_SCHEDULE=schedule))) == ["SYNC_SCHEDULE"]


@pytest.mark.parametrize(
    ("login", "audience"),
    [
        ("https://login.salesforce.com", "https://login.salesforce.com"),
        ("https://test.salesforce.com/", "https://test.salesforce.com"),
        ("https://acme.my.salesforce.com", "https://login.salesforce.com"),
        ("https://acme--full.sandbox.my.salesforce.com", "https://test.salesforce.com"),
        ("https://acme--full.my.salesforce.com", "https://test.salesforce.com"),
    ],
)
def test_the_audience_follows_the_login_address_unless_it_is_set(login: str, audience: str) -> None:
    assert load(good(SALESFORCE_LOGIN_URL=login)).salesforce_audience == audience
    assert load(good(SALESFORCE_LOGIN_URL=login, SALESFORCE_AUDIENCE="https://x.example")).salesforce_audience == "https://x.example"


@pytest.mark.parametrize(
    "address", ["https://graph.microsoft.com/v1.0", "http://graph.microsoft.com", "graph.microsoft.com", "https://a?b=c"]
)
def test_an_address_is_an_https_origin(address: str) -> None:
    assert list(problems(good(GRAPH_ENDPOINT=address, SALESFORCE_LOGIN_URL=address))) == ["SALESFORCE_LOGIN_URL", "GRAPH_ENDPOINT"]


def test_a_port_is_part_of_an_origin() -> None:
    assert load(good(GRAPH_ENDPOINT="https://127.0.0.1:8443/")).graph_endpoint == "https://127.0.0.1:8443"


def test_storage_by_identity_names_both_services() -> None:
    account = load(good(AzureWebJobsStorage=None, AzureWebJobsStorage__accountName="acme1", AzureWebJobsStorage__clientId="c")).storage
    assert (account.table_endpoint, account.queue_endpoint) == (
        "https://acme1.table.core.windows.net",
        "https://acme1.queue.core.windows.net",
    )
    assert (account.connection, account.client_id) == ("", "c")
    china = {
        "AzureWebJobsStorage__tableServiceUri": "https://a.table.core.chinacloudapi.cn/",
        "AzureWebJobsStorage__queueServiceUri": "https://a.queue.core.chinacloudapi.cn",
    }
    assert load(good(AzureWebJobsStorage=None, **china)).storage.table_endpoint == "https://a.table.core.chinacloudapi.cn"


def test_storage_by_halves_or_twice_is_refused() -> None:
    table = {"AzureWebJobsStorage__tableServiceUri": "https://a.example"}
    assert problems(good(AzureWebJobsStorage=None, **table)) == {"AzureWebJobsStorage__queueServiceUri": "is missing"}
    assert list(problems(good(**table))) == ["AzureWebJobsStorage"]
    assert list(problems(good(AzureWebJobsStorage=None, AzureWebJobsStorage__accountName="https://x"))) == [
        "AzureWebJobsStorage__accountName"
    ]


def test_secrets_are_in_no_representation() -> None:
    shown = repr(load(good()))
    assert "PRIVATE KEY" not in shown
    assert "UseDevelopmentStorage" not in shown
    assert repr(HASH_KEY)[2:20] not in shown
    assert isinstance(load(good()), Settings)
