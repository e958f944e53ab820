"""`agent.pyz`: the agent's modules as one zip application, compiled already for a server whose Python reads our bytecode."""

from __future__ import annotations

import io
import marshal
import zipfile
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER, source_hash
from types import CodeType
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Files = dict[str, tuple[bytes, int]]
"""Path below the agent's folder → (content, mode)."""

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_UNCHECKED_HASH = (0b01).to_bytes(4, "little")  # PEP 552: the source is not looked for


def agent_archive(source: Path, magic: str = "") -> bytes:
    """The agent's modules as a zip application, the same bytes for the same source and magic.

    Args:
        source: the folder of the agent's modules.
        magic: `importlib.util.MAGIC_NUMBER` of the server's Python in hexadecimal. Where it is ours, the modules are
            carried compiled: compiling costs a server 0.2 s of a core each time that the agent starts.

    Raises:
        ToolkitError: there is no agent in `source`.
    """
    compiled = magic == MAGIC_NUMBER.hex()
    files: Files = {}
    for path in sorted(source.rglob("*.py")):
        relative = path.relative_to(source)
        if any(part.startswith((".", "__pycache__")) for part in relative.parts):
            continue
        if compiled and relative.name != "__main__.py":  # that one is read as a script
            files[relative.with_suffix(".pyc").as_posix()] = (_bytecode(path, f"agent/{relative}"), 0o644)
        else:
            files[relative.as_posix()] = (path.read_bytes(), 0o644)
    if "__main__.py" not in files:
        raise ToolkitError(f"The agent is missing: {source} has no __main__.py.", "Install the toolkit anew.")
    return archive(files)


def archive(files: Mapping[str, tuple[bytes, int]]) -> bytes:
    """A zip of `files`, without anything in it that changes from one day or machine to the next."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in sorted(files):
            content, mode = files[name]
            member = zipfile.ZipInfo(name, _FIXED_TIME)
            member.create_system = 3  # Unix, on every machine, so that the mode is kept
            member.external_attr = (0o100000 | mode) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(member, content)
    return buffer.getvalue()


def _bytecode(path: Path, shown: str) -> bytes:
    # By the loader, which keeps what it compiled beside the source, as for any module of ours.
    code = SourceFileLoader(path.stem, str(path)).get_code(path.stem)
    if code is None:
        raise ToolkitError(f"{path} cannot be compiled.", "Install the toolkit anew.")
    return b"".join(
        (MAGIC_NUMBER, _UNCHECKED_HASH, source_hash(path.read_bytes()), marshal.dumps(_named(code, shown)))
    )


def _named(code: CodeType, shown: str) -> CodeType:
    """The same code under a name that says nothing about this machine."""
    constants = tuple(_named(one, shown) if isinstance(one, CodeType) else one for one in code.co_consts)
    return code.replace(co_filename=shown, co_consts=constants)
