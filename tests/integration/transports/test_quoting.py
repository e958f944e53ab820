"""Command lines as the shells of this machine read them back."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from toolkit.transports.quoting import command_line


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh", "ksh"])
def test_shells_read_back_exactly_the_arguments(shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    argv = ["printf", "%s|", "'; rm -rf x", "$(id)", "two\nlines", '"', "\\", "", "!!"]
    done = subprocess.run([program, "-c", command_line(argv)], capture_output=True, check=True)
    assert done.stdout.decode() == "".join(f"{one}|" for one in argv[2:])
