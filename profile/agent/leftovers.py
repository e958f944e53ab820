"""What agents have left on this machine: folders of recordings that nobody fetched. Listed, handed over, swept after a day."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import re
import shutil
import stat
import tempfile
import time
from typing import TYPE_CHECKING, Any, Dict, List, Optional

import presence
from faults import Fault
from store import ABOUT, CHUNKS, NAME

if TYPE_CHECKING:
    from store import Store

NO_LIMIT = 2**62  # bytes: what lies here already is not to give way
DAY_S = 24 * 3600.0
UNCLAIMED_S = 3600.0  # a folder without a word in it: its controller went before its agent began
_PLACES = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 (only folders of this user's are looked at)
_FOLDER = re.compile(r"^toolkit(?:-agent)?\.[A-Za-z0-9_]{8}$")
_MOST_FOLDERS = 200
_ABOUT_BYTES = 64 * 1024
_LISTING_BYTES = 8 * 1024 * 1024


def found(own: str) -> List[Dict[str, Any]]:
    """Each folder that was left here: `{"folder", "run", "who", "since_ns", "ended_ns", "files", "bytes"}`, oldest first.

    Args:
        own: the folder of this agent.
    """
    left = []
    for folder in _folders(own):
        about = _about(folder)
        if about is None:
            continue
        files = [os.path.join(folder, "recordings", name) for name in _recordings(folder)]
        left.append(
            {
                "folder": folder,
                "run": str(about.get("run") or "")[:200],
                "who": str(about.get("who") or "")[:200],
                "since_ns": integer(about.get("since_ns")),
                "ended_ns": max([int(os.lstat(path).st_mtime * 1e9) for path in [folder, *files]]),
                "files": len(files),
                "bytes": sum(os.lstat(path).st_size for path in files),
            }
        )
    return sorted(left, key=lambda one: one["ended_ns"])


def sweep(own: str) -> List[str]:
    """Remove what has lain here for more than a day, and what never began; the folders that are gone."""
    gone = []
    for folder in _folders(own):
        newest = max(
            os.lstat(path).st_mtime for path in [folder, *glob.glob(glob.escape(folder) + "/recordings/*")]
        )
        patience_s = DAY_S if _about(folder) is not None else UNCLAIMED_S
        if time.time() - newest > patience_s:
            remove(folder)
            gone.append(folder)
    return gone


def hand_over(folder: str, own: str, store: Store) -> None:
    """Let `store` send what lies in a folder that was left.

    Raises:
        Fault: `protocol`: it is none of those.
    """
    if folder not in _folders(own):
        raise Fault("protocol", "%s is no folder that was left here." % folder[:200])
    lines = _lines(os.path.join(folder, "recordings", CHUNKS))
    store.adopt({name: lines.get(name) for name in _recordings(folder)})


def remove(folder: str) -> None:
    """Remove a folder that was left; links in it are removed, never followed."""
    shutil.rmtree(folder, ignore_errors=True)


def _folders(own: str) -> List[str]:
    places = dict.fromkeys(
        os.path.realpath(place) for place in (tempfile.gettempdir(), *_PLACES, os.path.expanduser("~"))
    )
    found: List[str] = []
    for place in places:
        with contextlib.suppress(OSError):
            names = [name for name in os.listdir(place) if _FOLDER.match(name)]
            found += [os.path.join(place, name) for name in sorted(names)[:_MOST_FOLDERS]]
    own = os.path.realpath(own)
    in_use = presence.taken()
    return [
        folder
        for folder in found
        if folder != own and _ours_alone(folder) and presence.folder_name(folder) not in in_use
    ]


def _ours_alone(path: str) -> bool:
    try:
        told = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(told.st_mode) and told.st_uid == os.geteuid() and not told.st_mode & 0o077


def _recordings(folder: str) -> List[str]:
    inside = os.path.join(folder, "recordings")
    if not _ours_alone(inside):
        return []
    return sorted(
        name
        for name in os.listdir(inside)
        if NAME.match(name) and stat.S_ISREG(os.lstat(os.path.join(inside, name)).st_mode)
    )


def _about(folder: str) -> Optional[Dict[str, Any]]:
    if not _ours_alone(os.path.join(folder, "recordings")):
        return None
    about = _read(os.path.join(folder, "recordings", ABOUT), _ABOUT_BYTES)
    try:
        said = json.loads(about.decode("utf-8"))
    except (ValueError, RecursionError):
        said = {}
    return said if isinstance(said, dict) else {}


def _lines(path: str) -> Dict[str, Dict[str, Any]]:
    """The chunk line of each file, as far as one was written."""
    lines = {}
    for text in _read(path, _LISTING_BYTES).splitlines():
        try:
            line = json.loads(text.decode("utf-8"))
            lines["%s-%06d.raw.gz" % (line["view"], line["seq"])] = line
        except (ValueError, RecursionError, TypeError, KeyError):
            continue
    return lines


def _read(path: str, most: int) -> bytes:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read(most)
    except OSError:
        return b""


def integer(value: object) -> int:
    """A whole number of nanoseconds; 0 where it is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else 0
