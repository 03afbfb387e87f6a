"""Mail, and whatever else apprise knows, for those who install ``surefoot[apprise]``.

https://github.com/caronc/apprise (2.2): it blocks, so it runs in threads; it does not say whether a failure is for
good, so all of them are tried again. It reads proxies from the environment, as its HTTP library does.
"""

import asyncio
import importlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

from surefoot.contracts.oncall import Notice, Notification
from surefoot.errors import DeliveryFailure, Fault, InvalidInput
from surefoot.incidents.channels.words import cleaned, headline, report
from surefoot.incidents.markdown import clean

if TYPE_CHECKING:
    from apprise import Apprise as Service

TIMEOUT = timedelta(seconds=8)
"""Apprise gives a connection 4 s, and an answer as many."""
LONGEST = 8_000
THREADS = 8
INSTALL = "APPRISE_URLS is set and apprise is not installed: pip install 'surefoot[apprise]'"
_TYPES = {Notice.TRIGGER: "failure", Notice.ACKNOWLEDGE: "info", Notice.RESOLVE: "success"}


class Apprise:
    """Sends to every service; it fails if one of them does, and those that took it are then told again."""

    def __init__(self, urls: str, timeout: timedelta = TIMEOUT) -> None:
        """Raises ``InvalidInput``, which does not show the URLs, without apprise or for one that it does not know."""
        self._services = [_service(url, number) for number, url in enumerate(re.split(r"[\s,]+", urls.strip()), 1)]
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="apprise")

    async def send(self, notification: Notification) -> str:
        """Apprise has no name for the message."""
        words = cleaned(notification)
        loop = asyncio.get_running_loop()
        sent = [loop.run_in_executor(self._threads, _notify, service, words) for service in self._services]
        done, _ = await asyncio.wait(sent, timeout=self._timeout.total_seconds())
        late = f"no answer within {self._timeout.total_seconds():g} s"
        outcomes = [one.result() if one in done else late for one in sent]
        failed = [f"service {number} ({why})" for number, why in enumerate(outcomes, 1) if why is not None]
        if failed:
            message = f"apprise: {', '.join(failed)}; check the URLs in APPRISE_URLS, in this order"
            raise DeliveryFailure(message, fault=Fault.RETRYABLE)
        return ""

    async def aclose(self) -> None:
        """Let go of threads; one that still waits for an answer ends with it."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _service(url: str, number: int) -> "Service":
    try:
        library = importlib.import_module("apprise")
    except ModuleNotFoundError:
        raise InvalidInput(INSTALL) from None
    service: Service = library.Apprise(asset=library.AppriseAsset(async_mode=False, secure_logging=True))
    if not service.add(url):
        raise InvalidInput(f"APPRISE_URLS: apprise does not know URL number {number}")
    return service


def _notify(service: "Service", words: Notification) -> str | None:
    """None if it was taken, else why not, in apprise's words."""
    result = service.notify(
        title=headline(words), body=report(words, LONGEST), notify_type=_TYPES[words.notice], body_format="text"
    )
    if result:
        return None
    said = [entry.message for entry in result.logs() if entry.level in ("WARNING", "ERROR")]
    return clean(" ".join(said[-2:])) or "it was not taken"
