"""The servers that every test relies on."""

import asyncio
from urllib.parse import urlsplit

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from surefoot.settings import Settings
from tests.support.servers import address_of


async def test_the_session_has_one_redis_that_answers(redis_url: str, settings: Settings) -> None:
    address = urlsplit(redis_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"PING\r\n")
    assert await reader.readline() == b"+PONG\r\n"
    writer.close()
    assert address_of("redis") == redis_url == settings.redis_url.get_secret_value()


async def test_a_completed_key_is_remembered_for_thirty_days(temporal_client: Client) -> None:
    request = DescribeNamespaceRequest(namespace="default")
    namespace = await temporal_client.workflow_service.describe_namespace(request)
    assert namespace.config.workflow_execution_retention_ttl.ToTimedelta().days == 30
