"""A service that is quicker than any load generator here: `python quick_service.py`; prints its port."""

from __future__ import annotations

import asyncio

BODY = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n"


class Answer(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        closes = b"onnection: close" in data
        self.transport.write(BODY + (b"Connection: close\r\n\r\nok" if closes else b"\r\nok"))
        if closes:
            self.transport.close()


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - how the test learns it
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
