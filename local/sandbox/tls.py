"""A throw-away certificate authority for 127.0.0.1: simple-salesforce speaks https only, and so does the product.

Clients are told by `SSL_CERT_FILE` (httpx, aiohttp) and `REQUESTS_CA_BUNDLE` (requests), which *replace* the roots
they would use: so the bundle holds the usual roots as well.
"""

import os
import ssl
from dataclasses import dataclass
from pathlib import Path

import certifi
import trustme


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """`bundle` is a PEM file for clients, `context` what a server is started with."""

    bundle: Path
    context: ssl.SSLContext


def make_authority(directory: Path) -> Authority:
    """Writes `ca.pem` into the directory. The keys live in memory only."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    usual = Path(os.environ.get("SSL_CERT_FILE") or certifi.where())
    bundle = directory / "ca.pem"
    bundle.write_bytes(usual.read_bytes() + b"\n" + authority.cert_pem.bytes())
    return Authority(bundle=bundle, context=context)
