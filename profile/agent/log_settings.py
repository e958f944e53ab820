"""Where gunicorn logs and how many workers it has: by its arguments, GUNICORN_CMD_ARGS, configuration file, in that order."""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Tuple

import log_config
import log_paths
import procfs
import roles

if TYPE_CHECKING:
    import trees

_NAMES = {
    "--access-logfile": "accesslog",
    "--error-logfile": "errorlog",
    "--log-file": "errorlog",
    "--access-logformat": "access_log_format",
    "--config": "config",
    "-c": "config",
    "--log-syslog": "syslog",
    "--logger-class": "logger_class",
    "--worker-class": "worker_class",
    "-k": "worker_class",
    "--workers": "workers",
    "-w": "workers",
    "--threads": "threads",
    "--max-requests": "max_requests",
}
COUNTS = ("workers", "threads", "max_requests")
WANTED = ("accesslog", "errorlog", "access_log_format", "syslog", "logger_class", "worker_class", *COUNTS)
DEFAULT_CONFIG = "./gunicorn.conf.py"
DEFAULT_FORMAT = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'
_OWN = re.compile(r"^(gunicorn\.|egg:gunicorn#|(sync|gthread|gevent|eventlet|asgi|simple|gunicorn_logger)$)")
_SHORTEST = len("--er")  # of an abbreviated option, which argparse takes where it is plain what is meant


class Setting(NamedTuple):
    """A value, and how it was learned."""

    value: Any
    found: str


class Settings(NamedTuple):
    """`known`: gunicorn's arguments can be read; `values`: by gunicorn's name for the setting; `unknown`: computed by code.

    `folder` is the arbiter's working directory, `root` what paths must be put behind (see log_paths).
    """

    known: bool
    values: Dict[str, Setting]
    unknown: Dict[str, str]
    folder: str
    root: str
    notes: List[str]

    def text(self, name: str) -> Optional[Setting]:
        """A setting that is a text."""
        setting = self.values.get(name)
        return setting if setting is not None and isinstance(setting.value, str) and setting.value else None

    def number(self, name: str) -> Optional[int]:
        """A setting that is a whole number: an option's text, or what stands in the file."""
        setting = self.values.get(name)
        text = "" if setting is None or isinstance(setting.value, bool) else str(setting.value)
        return int(text) if text.isdecimal() and len(text) < 7 else None

    @property
    def access_format(self) -> Optional[str]:
        """The form of gunicorn's access lines; None where it is computed, or not gunicorn's own logger writes them."""
        if not self.known or self.unknown.keys() & {"access_log_format", "logger_class", "worker_class"}:
            return None
        for name in ("logger_class", "worker_class"):
            setting = self.text(name)
            if setting is not None and not _OWN.match(setting.value):
                return None
        given = self.text("access_log_format")
        return str(given.value) if given is not None else DEFAULT_FORMAT


def of_arguments(arguments: List[str]) -> Dict[str, Tuple[Any, str]]:
    """{setting: (value, the option)} of gunicorn's arguments."""
    found: Dict[str, Tuple[Any, str]] = {}
    for option, value in roles.options(arguments):
        option = _whole(option)
        name = _NAMES.get(option)
        if name is not None:
            found[name] = (True if name == "syslog" else value, option)
    return found


def _whole(option: str) -> str:
    """The option that an abbreviation means; argparse has refused what is ambiguous."""
    if option in _NAMES or not option.startswith("--") or len(option) < _SHORTEST:
        return option
    meant = [name for name in _NAMES if name.startswith(option)]
    return meant[0] if len(meant) == 1 else option


def of_tree(tree: trees.Tree) -> Settings:
    """What can be known of a gunicorn that runs."""
    pid = tree.arbiter.pid
    root = log_paths.root_of(pid)
    folder = log_paths.inside(root, _working_directory(pid))
    notes: List[str] = []
    arguments = next((p.role.arguments for p in _shown(tree) if p.role.arguments), None)
    given = {
        name: Setting(value, option) for name, (value, option) in of_arguments(list(arguments or ())).items()
    }
    for name, (value, _) in of_arguments(_from_environment(pid)).items():
        given.setdefault(name, Setting(value, "GUNICORN_CMD_ARGS"))
    unknown: Dict[str, str] = {}
    _add_config(given, unknown, folder, root, notes)
    if not given and arguments is None:
        notes.append(
            "gunicorn's arguments are hidden behind its process title: logs were looked for among open files."
        )
    return Settings(arguments is not None, given, unknown, folder, root, notes)


def _shown(tree: trees.Tree) -> Tuple[trees.Process, ...]:
    return (tree.arbiter, *tree.successors, *tree.workers)


def _working_directory(pid: int) -> str:
    try:
        return os.readlink("/proc/%d/cwd" % pid)
    except OSError:
        return ""


def _from_environment(pid: int) -> List[str]:
    text = (procfs.environment(pid) or {}).get("GUNICORN_CMD_ARGS", "")
    try:
        return shlex.split(text)
    except ValueError:
        return []


def _add_config(
    given: Dict[str, Setting], unknown: Dict[str, str], folder: str, root: str, notes: List[str]
) -> None:
    """Read the configuration file for what was not given otherwise."""
    named = given.get("config")
    location = str(named.value) if named is not None else DEFAULT_CONFIG
    if location.startswith("python:"):
        notes.append("gunicorn's configuration is the module %s, which was not read." % location[7:])
        unknown.update((name, location) for name in WANTED if name not in given)
        return
    path = joined(folder, location[5:] if location.startswith("file:") else location)
    data, why = (
        log_paths.small_content(root, path, log_config.LIMIT) if path else (None, "its folder is not known")
    )
    if data is None:
        if named is not None:
            notes.append("gunicorn's configuration %s could not be read: %s." % (path or location, why))
            unknown.update((name, path) for name in WANTED if name not in given)
        return
    values, computed = log_config.literals(data, WANTED)
    for name, value in values.items():
        given.setdefault(name, Setting(value, "%s in %s" % (name, path)))
    for name in computed:
        if name not in given:
            unknown[name] = path


def joined(folder: str, path: str) -> str:
    """A path as the arbiter takes it; empty where its working directory would be needed and is not known."""
    if os.path.isabs(path):
        return os.path.normpath(path)
    return os.path.normpath(os.path.join(folder, path)) if folder else ""
