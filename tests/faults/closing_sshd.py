"""The embedded SSH server, but one that closes each command's channel some seconds after it began: CONFIG.json SECONDS."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from toolkit.demo import embedded_sshd

if TYPE_CHECKING:
    import asyncssh

_serve = embedded_sshd._serve


async def _closing(process: asyncssh.SSHServerProcess[bytes]) -> None:
    asyncio.get_running_loop().call_later(float(sys.argv[2]), process.channel.close)
    await _serve(process)


if __name__ == "__main__":
    embedded_sshd._serve = _closing
    sys.exit(embedded_sshd.main())
