"""The Salesforce simulator: one org behind `handle(request)`, and the hands that move it.

Why this file exists: it builds the org, keeps the order in which a request meets outage, session, limit and resource, and
offers everything a test or a control plane may do, with JSON values only. Faults of the network (a cut connection, a late
effect) are put around it by somebody else. It takes time and randomness from outside, so a seed replays a history.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from local.sandbox.http import Clock, Request, Response
from local.sandbox.salesforce import api
from local.sandbox.salesforce.access import Access, OrgWide
from local.sandbox.salesforce.administration import Administration, field_of
from local.sandbox.salesforce.bodies import refused
from local.sandbox.salesforce.errors import Code, Refusal, not_found, refuse
from local.sandbox.salesforce.ids import IdMint
from local.sandbox.salesforce.journal import Write
from local.sandbox.salesforce.kinds import Features, build_objects
from local.sandbox.salesforce.oauth import SignIn
from local.sandbox.salesforce.org import Knobs, Org
from local.sandbox.salesforce.records import Records
from local.sandbox.salesforce.rules import Rules
from local.sandbox.salesforce.schema import Field
from local.sandbox.salesforce.store import Store
from local.sandbox.salesforce.times import to_http_date, to_stamp

_LONGEST_URI = 16_384
_OUTAGE = b"<html><head><title>Salesforce</title></head><body><h1>We are down for maintenance.</h1></body></html>"


class SalesforceSandbox(Administration):
    """One simulated org.

    `origin`: what a token response calls the instance (default: wherever the token was asked for). `audience`: what a JWT
    must be addressed to. `consumers`: consumer key -> public key (PEM). `custom_fields`: object -> fields, each a name (then
    a unique, case-sensitive external id of 64 characters, as a package brings it), a dict of `schema.custom_field`'s
    arguments, or a `Field`. `org_wide`: object -> private | read | read_write | controlled_by_parent. `crlf_text_areas`:
    text areas are stored with `\\r\\n`.
    """

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        *,
        origin: str | None = None,
        audience: str = "https://login.salesforce.com",
        consumers: Mapping[str, str] | None = None,
        custom_fields: Mapping[str, Sequence[str | Mapping[str, Any] | Field]] | None = None,
        org_wide: Mapping[str, str] | None = None,
        middle_name: bool = False,
        name_suffix: bool = False,
        state_country_picklists: bool = False,
        person_accounts: bool = False,
        crlf_text_areas: bool = True,
    ) -> None:
        fields = {name: tuple(field_of(each) for each in given) for name, given in (custom_fields or {}).items()}
        features = Features(
            middle_name=middle_name,
            name_suffix=name_suffix,
            state_country_picklists=state_country_picklists,
            person_accounts=person_accounts,
            custom_fields=fields,
        )
        objects = build_objects(features)
        unique = {
            (kind.name, field.name): field.case_sensitive for kind in objects.values() for field in kind.fields.values() if field.unique
        }
        store = Store(unique, [("Contact", "AccountId")])
        mint = IdMint(rng)
        defaults = {"Contact": "private", "Account": "private", "Lead": "private"}
        access = Access(store, objects, {name: OrgWide(value) for name, value in {**defaults, **(org_wide or {})}.items()})
        rules = Rules()
        records = Records(store, access, objects, mint, rules, clock.now, crlf=crlf_text_areas)
        self.clock = clock
        self.org = Org(
            id=mint.mint("00D"),
            store=store,
            access=access,
            objects=objects,
            records=records,
            rules=rules,
            knobs=Knobs(),
            clock=clock,
            mint=mint,
            schema_changed=clock.now(),
        )
        self.sign_in = SignIn(
            org_id=self.org.id,
            store=store,
            permissions=access.users,
            clock=clock,
            rng=random.Random(rng.getrandbits(64)),
            knobs=self.org.knobs,
            audience=audience,
            origin=origin,
            consumers=dict(consumers or {}),
        )
        self.on_request: list[Callable[[Request, Response], None]] = []
        stamp = to_stamp(clock.now())
        store.put(
            "Organization",
            self.org.id,
            {
                "Id": self.org.id,
                "Name": "Sandbox Inc.",
                "InstanceName": "CS5",
                "IsSandbox": "test." in audience,
                "OrganizationType": "Enterprise Edition",
                "CreatedDate": stamp,
                "SystemModstamp": stamp,
            },
        )
        self._system = self.add_user("automation@sandbox.invalid", last_name="Automated Process", modify_all=["*"], preauthorized=False)

    @property
    def org_id(self) -> str:
        return self.org.id

    @property
    def knobs(self) -> Knobs:
        """Limits and outages, to be set directly."""
        return self.org.knobs

    def set_knobs(self, **values: float) -> None:
        """Several knobs at once, by name. Raises AttributeError for one that does not exist."""
        for name, value in values.items():
            getattr(self.knobs, name)
            setattr(self.knobs, name, value)

    @property
    def writes(self) -> list[Write]:
        """The journal of everything that was written and not rolled back, oldest first."""
        return self.org.records.writes

    @property
    def calls(self) -> Counter[str]:
        """API calls by username; a composite is one."""
        return self.org.calls

    @property
    def logins(self) -> Counter[str]:
        """Granted token requests by username."""
        return self.sign_in.logins

    def handle(self, request: Request) -> Response:
        """Answer one request; never raises for what a client may send."""
        self.settle()
        response = self._dispatch(request)
        headers = {"date": to_http_date(self.clock.now()), **response.headers}
        if request.path.startswith("/services/data/"):
            headers["sforce-limit-info"] = f"api-usage={self.knobs.api_usage}/{self.knobs.daily_limit}"
        response = replace(response, headers=headers)
        for hook in self.on_request:
            hook(request, response)
        return response

    def _dispatch(self, request: Request) -> Response:
        path = request.path.rstrip("/")
        if self.knobs.html_outages > 0:
            self.knobs.html_outages -= 1
            return Response(status=503, headers={"content-type": "text/html; charset=UTF-8"}, body=_OUTAGE)
        if len(request.url.partition("://")[2].partition("/")[2]) + 1 > _LONGEST_URI:
            return Response(
                status=414, headers={"content-type": "text/html"}, body=b"<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>"
            )
        if path == "/services/oauth2/token":
            return self.sign_in.token(request)
        if path == "/services/oauth2/userinfo" or path.startswith("/id/"):
            return self.sign_in.userinfo(request)
        if path == "/services/data":
            return api.list_versions()
        if not path.startswith("/services/data/"):
            return refused(not_found())
        try:
            user_id = self.sign_in.authenticate(request)
            self._check_limits()
        except Refusal as refusal:
            return refused(refusal)
        self.org.count_call(user_id)
        return api.answer(self.org, user_id, request)

    def _check_limits(self) -> None:
        self.org.roll_usage()
        if self.knobs.concurrent_refusals > 0:
            self.knobs.concurrent_refusals -= 1
            raise refuse(403, Code.REQUEST_LIMIT_EXCEEDED, "ConcurrentPerOrgLongTxn Limit exceeded.")
        if self.knobs.api_usage >= self.knobs.daily_limit:
            raise refuse(403, Code.REQUEST_LIMIT_EXCEEDED, "TotalRequests Limit exceeded.")
