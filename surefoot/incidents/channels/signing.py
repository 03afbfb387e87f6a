'''Signs webhooks by Standard Webhooks, so that a receiver knows who sent them, and that nobody did so again.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (1.0.0): HMAC-SHA256 over
``id.timestamp.body``. ``webhook-id`` stays the same when a message is sent again, ``webhook-timestamp`` is the
attempt's. A receiver needs no library; it checks the bytes as they came, before it parses them:

```python
import base64, hashlib, hmac, time

def genuine(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Headers by lower-case name; whoever has seen this webhook-id already may ignore the message."""
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    number, sent = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(sent)) > 300:
        return False
    digest = hmac.new(key, f"{number}.{sent}.".encode() + body, hashlib.sha256).digest()
    wanted = "v1," + base64.b64encode(digest).decode()
    return any(hmac.compare_digest(wanted, one) for one in headers["webhook-signature"].split())
```
'''

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

from surefoot.errors import InvalidInput

PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: base64 after ``whsec_``, any other text as it is.

    Raises ``InvalidInput``, which does not show the secret.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise InvalidInput(f"INCIDENT_WEBHOOK_SECRET begins with {PREFIX!r}, and what follows is not base64") from None


def signed(key: bytes | None, id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message; without a key it is not signed."""
    timestamp = str(int(at.timestamp()))
    headers = {"webhook-id": id, "webhook-timestamp": timestamp}
    if key is None:
        return headers
    digest = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {**headers, "webhook-signature": f"v1,{base64.b64encode(digest).decode()}"}
