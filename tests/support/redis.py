"""Asking a Redis server without any of the product's own code."""

import asyncio
from urllib.parse import urlsplit


async def ask_redis(url: str, command: str) -> str:
    """Send one command and give the first line of the answer that carries a value."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(f"{command}\r\n".encode())
        line = (await reader.readline()).decode().strip()
        return (await reader.readline()).decode().strip() if line.startswith("$") and line != "$-1" else line
    finally:
        writer.close()
        await writer.wait_closed()
