"""Every tool there is, and those that a worker has, since their back ends are set up."""

from collections.abc import Iterable, Iterator, Mapping

import httpx2

from surefoot.settings import Settings
from surefoot.tls import trusted
from surefoot.tools.contract import Design, Tool
from surefoot.tools.crm import look_up_customer
from surefoot.tools.http import Backend
from surefoot.tools.mail import send_email
from surefoot.tools.orders import create_order, look_up_order
from surefoot.tools.refunds import issue_refund
from surefoot.tools.research import publish_summary, search
from surefoot.tools.returns import start_return

DESIGNS: tuple[Design[Backend], ...] = (
    create_order,
    issue_refund,
    look_up_customer,
    look_up_order,
    publish_summary,
    search,
    send_email,
    start_return,
)
"""A new tool is one file and one line here."""

CONNECTIONS = httpx2.Limits(max_connections=None, max_keepalive_connections=20, keepalive_expiry=2)
"""No limit of our own: the worker's is on activities. Idle connections end before servers tend to close them, since
one that is closed while a request leaves puts its effect in doubt."""


class ToolRegistry(Mapping[str, Tool]):
    """The tools of a worker by exact name. ``aclose`` it in the end."""

    def __init__(
        self, tools: Iterable[Tool], missing: Mapping[str, str] | None = None, client: httpx2.AsyncClient | None = None
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self.missing: Mapping[str, str] = dict(missing or {})
        """Tools whose back end is not set up, with the variable that would do so."""
        self._client = client

    @classmethod
    def from_settings(cls, settings: Settings, designs: Iterable[Design[Backend]] = DESIGNS) -> "ToolRegistry":
        """The tools whose back ends have an address in the settings."""
        # The environment is the settings' alone: no proxies from it.
        client = httpx2.AsyncClient(verify=trusted(), trust_env=False, limits=CONNECTIONS)
        tools, missing = [], {}
        for design in designs:
            address = getattr(settings, design.backend)
            if address is None:
                missing[design.name] = Settings.model_fields[design.backend].alias or design.backend
            else:
                name = design.backend.removesuffix("_url")
                tools.append(design.connect(Backend(name, str(address), client)))
        return cls(tools, missing, client)

    def __getitem__(self, name: str) -> Tool:
        return self._tools[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tools)

    def __len__(self) -> int:
        return len(self._tools)

    async def aclose(self) -> None:
        """End the connections to the back ends."""
        if self._client is not None:
            await self._client.aclose()
