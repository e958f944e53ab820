"""The agent's own directory: what it executes, where it writes, and how it goes without a trace.

Three ways it came to be:
* pushed: the controller made it (0700) and put agent.pyz and the wheels into it; it is removed at the end;
* pushed by a user, run as root by sudo: root writes into a directory of its own instead, and both are removed;
* prepared: a root-owned installation with py-spy and psutil; nothing there is touched, a temporary directory is made.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil
import stat
import sys
import tempfile
import zipfile

from faults import Fault

_SCRIPT = re.compile(r"^py_spy-[^/]+\.data/scripts/py-spy$")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_PLACES = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 (mkdtemp makes a 0700 directory below)


class WorkDirectory:
    """`path` is ours alone (0700); `executable` is py-spy; `recordings` and `running` lie below `path`.

    Args:
        program: the path of agent.pyz as it was called.

    Raises:
        Fault: `no-exec`, `no-space` or `internal`: there is no py-spy, or no place to execute it or to write.
    """

    def __init__(self, program: str) -> None:
        self.home = os.path.dirname(os.path.realpath(program))
        self._program = os.path.realpath(program)
        self._made: list[str] = []
        self.pushed = bool(self._wheels("py_spy"))
        try:
            self.path = self._place()
            self.recordings = self._folder("recordings")
            self.running = self._folder("running")
            self.executable = self._executable()
            self._add_psutil()
        except OSError as error:
            self.remove(False)
            code = "no-space" if error.errno == 28 else "internal"
            told = "The agent cannot write on the server: %s" % error
            raise Fault(
                code, told, "Free some space, or set TMPDIR to a directory that can be written."
            ) from None
        except Fault:
            self.remove(False)
            raise

    def _wheels(self, name: str) -> list[str]:
        return sorted(glob.glob(os.path.join(glob.escape(self.home), name + "-*.whl")))

    def _place(self) -> str:
        if self.pushed and _ours_alone(self.home) and not _noexec(self.home):
            return self.home
        places = [tempfile.gettempdir(), *_PLACES]
        usable = [
            place
            for place in places
            if os.path.isdir(place) and os.access(place, os.W_OK) and not _noexec(place)
        ]
        made = tempfile.mkdtemp(prefix="toolkit-agent.", dir=(usable or places)[0])
        self._made.append(made)
        return made

    def _folder(self, name: str) -> str:
        path = os.path.join(self.path, name)
        os.mkdir(path, 0o700)
        return path

    def _executable(self) -> str:
        if self.pushed:
            return self._extract(self._wheels("py_spy")[-1])
        prepared = os.path.join(self.home, "py-spy")
        if _safe_from_others(self.home) and _safe_from_others(prepared):
            return prepared
        raise Fault(
            "no-exec",
            "There is no py-spy beside the agent in %s that only its owner may write." % self.home,
            "Let the toolkit push it, or prepare the server with the script in profile/.",
        )

    def _extract(self, wheel: str) -> str:
        path = os.path.join(self.path, "py-spy")
        try:
            with zipfile.ZipFile(wheel) as archive:
                member = next((name for name in archive.namelist() if _SCRIPT.match(name)), None)
                if member is None:
                    raise Fault("no-exec", "%s holds no py-spy." % os.path.basename(wheel))
                with archive.open(member) as source, os.fdopen(os.open(path, _NEW, 0o700), "wb") as target:
                    shutil.copyfileobj(source, target)
        except zipfile.BadZipFile:
            raise Fault("no-exec", "%s is damaged." % os.path.basename(wheel), "Push it again.") from None
        os.chmod(path, 0o700)
        if _noexec(self.path):
            raise no_exec(self.path)
        return path

    def _add_psutil(self) -> None:
        """Make psutil importable: the server's own, the prepared one, or the one that was pushed."""
        prepared = os.path.join(self.home, "lib")
        wheels = self._wheels("psutil")
        if wheels:
            target = self._folder("lib")
            with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(wheels[-1]) as archive:
                names = [
                    name for name in archive.namelist() if name.startswith("psutil/") and ".." not in name
                ]
                archive.extractall(target, names)
            sys.path.insert(0, target)
        elif not self.pushed and os.path.isdir(prepared) and _safe_from_others(prepared):
            sys.path.insert(0, prepared)

    def remove(self, keep_recordings: bool) -> None:
        """Remove what is ours, by name: a directory that is not only ours is never swept.

        Args:
            keep_recordings: leave `recordings` behind, and nothing else.
        """
        kept = os.path.join(getattr(self, "path", ""), "recordings") if keep_recordings else ""
        for path in self._made:
            _empty(path, kept)
        if not self.pushed:
            return
        own = [self._program, *self._wheels("py_spy"), *self._wheels("psutil")]
        if getattr(self, "path", "") == self.home:
            own += [os.path.join(self.home, name) for name in ("py-spy", "lib", "running", "recordings")]
        for path in own:
            if path != kept:
                _delete(path)
        with contextlib.suppress(OSError):
            os.rmdir(self.home)


def _empty(path: str, kept: str) -> None:
    for name in os.listdir(path):
        child = os.path.join(path, name)
        if child != kept:
            _delete(child)
    with contextlib.suppress(OSError):
        os.rmdir(path)


def _delete(path: str) -> None:
    """Delete a file, a link (never what it points to) or a tree."""
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)
    except OSError:
        pass


def _ours_alone(path: str) -> bool:
    told = os.lstat(path)
    return stat.S_ISDIR(told.st_mode) and told.st_uid == os.geteuid() and not told.st_mode & 0o077


def _safe_from_others(path: str) -> bool:
    """Whether only root or this user may change it; as root that means root alone."""
    try:
        told = os.lstat(path)
    except OSError:
        return False
    return not stat.S_ISLNK(told.st_mode) and told.st_uid in (0, os.geteuid()) and not told.st_mode & 0o022


def _noexec(path: str) -> bool:
    try:
        return bool(os.statvfs(path).f_flag & os.ST_NOEXEC)
    except OSError:
        return False


def no_exec(path: str) -> Fault:
    """Files there may not be executed."""
    return Fault(
        "no-exec",
        "Programs in %s may not be executed (mounted noexec)." % path,
        "Set TMPDIR on the server to a directory on another file system, or prepare the server with the script in profile/.",
    )
