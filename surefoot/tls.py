"""Whom the process's HTTPS connections trust."""

import ssl
from functools import cache

import httpx2


@cache
def trusted() -> ssl.SSLContext:
    """The machine's certificates, or what ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` names.

    Read once: that takes 20 ms and more, and a worker has half a dozen clients.
    """
    return httpx2.create_ssl_context()
