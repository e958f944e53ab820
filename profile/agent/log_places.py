"""Where the logs of a gunicorn are: by its settings, by the plan, by what its processes hold open."""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

import log_descriptors
import log_paths
import log_streams

if TYPE_CHECKING:
    import trees
    from log_settings import Settings

GLOB = "*?["
NAMED = "named in the plan"
_MOST_GLOBBED = 64
_MOST_JUDGED = 20000
_PACKED = (".gz", ".xz", ".bz2", ".zst", ".zip")
_ROLES = {"errorlog": "error", "accesslog": "access"}
_STREAMS = {"errorlog": 2, "accesslog": 1}


class Place(NamedTuple):
    """One log: a file (`path` behind `root`) or a journal (`path` is the unit, `root` is `user` for a user's own)."""

    kind: str
    path: str
    root: str
    found: str
    role: Optional[str]
    format: Optional[str] = None


class Places(NamedTuple):
    """What was found, with what people should know about it."""

    places: List[Place]
    notes: List[str]


def by_settings(tree: trees.Tree, settings: Settings) -> Places:
    """Where gunicorn was told to log, and where its standard streams go."""
    found = Places([], list(settings.notes))
    for name in ("errorlog", "accesslog"):
        setting = settings.text(name)
        if setting is not None and setting.value != "-":
            path = log_settings_path(settings, setting.value)
            if path and path != "/dev/null":
                form = settings.access_format if name == "accesslog" else None
                found.places.append(Place("file", path, settings.root, setting.found, _ROLES[name], form))
        elif name in settings.unknown:
            found.notes.append(
                "%s is computed in %s, which is not run: what gunicorn holds open was looked at."
                % (name, settings.unknown[name])
            )
        elif name == "accesslog" and setting is None and settings.known:
            found.notes.append("gunicorn writes no access log: --access-logfile is not set.")
    if "syslog" in settings.values and settings.values["syslog"].value:
        found.notes.append(
            "gunicorn logs to syslog: name the file or the unit it ends up in, if it is wanted."
        )
    _add_streams(tree, settings, found)
    return found


def log_settings_path(settings: Settings, path: str) -> str:
    """A path out of gunicorn's settings; empty where it cannot be made absolute."""
    if os.path.isabs(path):
        return os.path.normpath(path)
    return os.path.normpath(os.path.join(settings.folder, path)) if settings.folder else ""


def _add_streams(tree: trees.Tree, settings: Settings, found: Places) -> None:
    roles = _stream_roles(settings)
    streams = {number: log_streams.stream_of(tree, number) for number in (1, 2)}
    same = streams[1][:2] == streams[2][:2]
    for number in (2, 1):
        stream = streams[number]
        role = None if same and 1 in roles and 2 in roles else roles.get(number)
        form = settings.access_format if 1 in roles and (same or number == 1) else None
        how = "%s of PID %d" % (log_streams.name_of(number), tree.arbiter.pid)
        if stream.file is not None:
            path = log_paths.inside(settings.root, stream.file)
            kept = role or ("application" if number not in roles and settings.known else None)
            found.places.append(Place("file", path, settings.root, how, kept, form))
        elif stream.unit is not None:
            found.places.append(
                Place("journal", stream.unit, stream.manager, how, None if same else role, form)
            )
        elif number in roles:
            what = "error log" if number == 2 else "access log"
            found.notes.append(
                "gunicorn's %s goes to its %s: %s, which cannot be followed."
                % (what, log_streams.name_of(number), stream.told)
            )


def _stream_roles(settings: Settings) -> Dict[int, str]:
    """What gunicorn itself writes to its standard streams; the error log goes there where nothing else was said."""
    roles = {}
    for name, number in _STREAMS.items():
        setting = settings.values.get(name)
        default = name == "errorlog" and setting is None and settings.known and name not in settings.unknown
        if default or (setting is not None and setting.value == "-"):
            roles[number] = _ROLES[name]
    return roles


def named(paths: List[str], settings: Settings) -> Iterator[Place]:
    """The files that the plan names, wildcards opened; one that is not there is waited for, and wildcards that nothing fits
    are named as they are.
    """
    for given in paths:
        path = log_settings_path(settings, given)
        if not path:
            continue
        for root, item in _opened_wildcards(path, settings.root) or [(settings.root, path)]:
            yield Place("file", item, root, NAMED, None)


def is_pattern(path: str) -> bool:
    """Whether it stands for many names."""
    return any(mark in path for mark in GLOB)


def _opened_wildcards(path: str, root: str) -> List[Tuple[str, str]]:
    """[(root, path)]: as the machine sees it where there is such a file, else as the service's container does."""
    roots = ["", root] if root else [""]
    if not is_pattern(path):
        return [next(((item, path) for item in roots if os.path.lexists(item + path)), (roots[0], path))]
    for item in roots:
        found = sorted(glob.glob(glob.escape(item) + path))[:_MOST_GLOBBED]
        if found:
            return [(item, name[len(item) :]) for name in found if not name.endswith(_PACKED)]
    return []


class OpenFiles:
    """Goes through what a gunicorn's processes hold open, some descriptors at a time. Each file is judged once."""

    def __init__(self) -> None:
        self._judged: Set[str] = set()
        self._unseen: Set[int] = set()
        self.passed_over: List[str] = []

    def search(self, tree: trees.Tree, root: str) -> Iterator[Optional[Place]]:
        """Logs that were not known; None between two of them, where the caller may pause."""
        for pid in tree.pids:
            held = log_descriptors.held_by(pid)
            if held is None:
                self._cannot_see(pid)
                continue
            for item in held:
                if item.target in self._judged or not item.target.startswith("/"):
                    yield None
                    continue
                reason = log_descriptors.why_not(item, root)
                if (
                    reason != "" and len(self._judged) < _MOST_JUDGED
                ):  # another process may write what this one reads
                    self._judged.add(item.target)
                if reason is None:
                    yield self._place(item, tree, root)
                elif reason:
                    self.passed_over.append("%s (%s)" % (item.target, reason))

    def _cannot_see(self, pid: int) -> None:
        if not self._unseen and os.path.exists("/proc/%d" % pid):
            self._unseen.add(pid)
            self.passed_over.append("the open files of PID %d (they may not be seen; sudo would)" % pid)

    @staticmethod
    def _place(item: log_descriptors.Held, tree: trees.Tree, root: str) -> Place:
        arbiters = [tree.arbiter.pid, *(process.pid for process in tree.successors)]
        name = os.path.basename(item.target).lower()
        role = None
        if item.pid not in arbiters:
            role = "application"
        elif "access" in name:
            role = "access"
        elif "error" in name:
            role = "error"
        how = "descriptor %d of PID %d" % (item.number, item.pid)
        return Place("file", log_paths.inside(root, item.target), root, how, role)


def wanted_list(wanted: Dict[str, Any], key: str) -> List[str]:
    """A list of texts out of what the controller asked for."""
    return [item for item in wanted.get(key) or [] if isinstance(item, str) and item]
