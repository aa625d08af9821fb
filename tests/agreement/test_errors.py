"""The catalogue of errors, the page that explains them, the vendors' tables and the code agree."""

import re
from functools import cache

import pytest

from local.stack.process import ROOT
from shared.errors import CATALOGUE, Code, Mender, Permanent, Reach, Temporary
from sync.connectors.graph.errors import CODES, STATUSES, Meaning
from sync.connectors.salesforce.errors import SURE, TABLE
from sync.connectors.salesforce.tokens import classify
from tests.agreement.pages import cells, section

CONCERNS = {Reach.NOTICE: "told", Reach.ITEM: "one record", Reach.USER: "one user", Reach.EVERYTHING: "everybody"}

SALESFORCE = {
    *("REQUIRED_FIELD_MISSING", "FIELD_CUSTOM_VALIDATION_EXCEPTION", "INVALID_EMAIL_ADDRESS", "STRING_TOO_LONG"),
    *("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "FIELD_INTEGRITY_EXCEPTION", "INVALID_FIELD_FOR_INSERT_UPDATE", "INVALID_FIELD"),
    *("INVALID_TYPE", "MALFORMED_QUERY", "DUPLICATES_DETECTED", "DUPLICATE_VALUE", "ENTITY_IS_DELETED", "NOT_FOUND"),
    *("INVALID_CROSS_REFERENCE_KEY", "INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"),
    *("INACTIVE_OWNER_OR_USER", "CANNOT_UPDATE_CONVERTED_LEAD", "ENTITY_IS_LOCKED", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
    *("APEX_ERROR", "UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "INVALID_SESSION_ID", "API_CURRENTLY_DISABLED"),
    *("API_DISABLED_FOR_ORG", "TXN_SECURITY_METERING_ERROR", "QUERY_TIMEOUT", "OPERATION_TOO_LARGE", "EXCEEDED_ID_LIMIT"),
    *("SERVER_UNAVAILABLE", "STORAGE_LIMIT_EXCEEDED", "ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED"),
}
"""What Salesforce was seen to answer to requests like ours (REST API Developer Guide, "Status Codes and Error Responses", and reports)."""
GRAPH = {
    *("ErrorItemNotFound", "MailboxNotEnabledForRESTAPI", "MailboxInfoStale", "ErrorIncorrectRoutingHint", "ErrorAccessDenied"),
    *(
        "Authorization_RequestDenied",
        "InvalidAuthenticationToken",
        "ErrorIrresolvableConflict",
        "ErrorInvalidProperty",
        "ErrorInvalidRequest",
    ),
    *("ErrorInvalidIdMalformed", "ErrorPropertyValidationFailure", "UnableToDeserializePostBody", "InvalidDateTime", "ExtensionError"),
    *("ErrorInternalServerTransientError", "SyncStateNotFound", "ResyncRequired", "ApplicationThrottled", "TooManyRequests"),
    *("ErrorTooManyObjectsOpened", "ErrorQuotaExceeded", "ErrorFolderNotFound", "ErrorInvalidUser"),
}
"""What Graph was seen to answer (Microsoft Graph, "Microsoft Graph error responses and resource types", and reports)."""
LOGINS = [
    ("invalid_grant", "user hasn't approved this consumer", Code.NOT_AUTHORISED),
    ("invalid_grant", "audience is invalid", Code.SALESFORCE_LOGIN_REFUSED),
    ("invalid_grant", "invalid assertion", Code.SALESFORCE_LOGIN_REFUSED),
    ("invalid_grant", "expired authorization code", Code.SALESFORCE_LOGIN_REFUSED),
    ("invalid_grant", "inactive user", Code.INACTIVE_SALESFORCE_USER),
    ("invalid_client_id", "client identifier invalid", Code.SALESFORCE_LOGIN_REFUSED),
]


def test_every_error_has_its_place_in_the_catalogue() -> None:
    assert list(CATALOGUE) == list(Code)


def test_the_page_explains_every_error_in_the_words_of_the_catalogue() -> None:
    rows = cells(section("docs/operations.md", "Error codes"))
    expected = [[f"`{code}`", CONCERNS[entry.reach], str(entry.mender), entry.meaning, entry.remedy] for code, entry in CATALOGUE.items()]
    assert rows == expected


@cache
def product() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "sync").rglob("*.py")))


@pytest.mark.parametrize("code", Code, ids=str)
def test_every_error_can_happen(code: Code) -> None:
    assert re.search(rf"\bCode\.{code.name}\b", product()), "the page explains an error that the product never tells"


@pytest.mark.parametrize("code", Code, ids=str)
def test_every_error_says_what_to_do_in_whole_sentences(code: Code) -> None:
    entry = CATALOGUE[code]
    assert re.fullmatch(r"[A-Z].+\.", entry.meaning)
    assert re.fullmatch(r"[A-Z].+\.", entry.remedy)


def test_every_code_that_salesforce_was_seen_to_answer_has_a_meaning() -> None:
    assert SALESFORCE - set(TABLE) == set()
    assert set(TABLE) >= SURE


def test_every_code_that_graph_was_seen_to_answer_has_a_meaning() -> None:
    assert {code.lower() for code in GRAPH} - set(CODES) == set()
    assert all(code == code.lower() for code in CODES), "looked up without case"


@pytest.mark.parametrize(("error", "description", "code"), LOGINS, ids=str)
def test_every_refused_login_has_a_meaning(error: str, description: str, code: Code) -> None:
    assert classify(error, description, 400).code is code


def test_what_a_vendors_table_calls_passing_needs_nobody_and_what_stays_needs_somebody() -> None:
    rows = [*TABLE.values()]
    rows += [(row[1], row[0]) for row in (*CODES.values(), *STATUSES.values()) if not isinstance(row, Meaning)]  # type: ignore[misc]
    for code, kind in rows:
        assert code in CATALOGUE
        assert kind in (Temporary, Permanent)
        assert (kind is Temporary) == (CATALOGUE[code].mender is Mender.ITSELF), code
