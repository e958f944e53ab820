"""The toolkit's agent on the server under test: finds gunicorn, records its stacks, and outlives nobody.

Run as `python3 -u -I DIR/agent.pyz`; it speaks profile/agent/PROTOCOL.md over its standard streams. Python 3.7 or newer.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys


def main() -> int:
    """Take the standard streams and converse."""
    from conversation import Conversation  # after the version check below
    from wire import Writer

    os.umask(0o077)
    with contextlib.suppress(
        ValueError, OSError
    ):  # neither it nor py-spy leaves memory of the service in a core file
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    source, target = os.dup(0), os.dup(1)
    os.dup2(2, 1)  # a stray print must not spoil the conversation
    writer = Writer(target)
    writer.start()
    wakeup, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    return Conversation(source, target, writer, wakeup, sys.argv[0]).run()


if __name__ == "__main__":
    if sys.version_info < (3, 7):
        sys.stderr.write("The agent needs Python 3.7 or newer on the server.\n")
        sys.exit(69)
    code = main()
    with contextlib.suppress(OSError, ValueError):  # the connection that it led to may have broken long ago
        sys.stderr.flush()
    os._exit(code)  # the writer may hang on a network that swallows everything
