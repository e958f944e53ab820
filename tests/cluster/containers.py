"""Containers of a stand-in cluster: processes of this machine, run as their pods' text says and in namespaces of their own."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

SANDBOX = Path(__file__).with_name("sandbox.sh").read_text()
VENV = Path(sys.prefix)
IMAGE_VENV = "/opt/venv"
"""Where Locust's own image has it."""


class Network:
    """The cluster's network: a loopback of its own, which nothing outside reaches and nothing leaves."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout
        assert self._holder.stdout.readline() == b"up\n"

    @property
    def enter(self) -> list[str]:
        """What a command in it begins with."""
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", "--"]

    def close(self) -> None:
        assert self._holder.stdin
        assert self._holder.stdout
        self._holder.stdin.close()
        self._holder.wait(10)
        self._holder.stdout.close()


class Container:
    """The one container of a pod."""

    def __init__(self, pod: dict[str, Any], folder: Path, network: Network, objects: Any, hosts: str) -> None:
        self._spec = pod["spec"]
        self._one = self._spec["containers"][0]
        self._folder, self._network = folder, network
        self._objects = objects
        self.log = folder / "log"
        self._killed = False
        folder.mkdir(parents=True)
        (folder / "root").mkdir()
        (folder / "hosts").write_text(hosts)
        (folder / "hosts").chmod(0o644)
        self._env = self._environment(pod)
        binds = [*self._image(), *self._volumes(), (str(folder / "hosts"), "/etc/hosts", "ro")]
        self._context = {
            **self._spec.get("securityContext", {}),
            **self._one.get("securityContext", {}),
        }
        given = {
            "PATH": os.environ["PATH"],
            "ROOT": str(folder / "root"),
            "BINDS": "\n".join(" ".join(one) for one in binds),
            "IDS": self._ids(),
            "READONLY": str(int(self._context.get("readOnlyRootFilesystem", False))),
            "WORKDIR": self._one.get("workingDir", "/"),
        }
        argv = [*self._one["command"], *self._one.get("args", [])]
        command = [_expanded(word, self._env) for word in argv]
        clean = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in self._env.items()), *command]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *self._network.enter,
                    *(
                        "unshare",
                        "--mount",
                        "--pid",
                        "--fork",
                        "--kill-child=SIGKILL",
                        "--propagation=private",
                    ),
                    *("sh", "-c", SANDBOX, "sh", *clean),
                ],
                env=given,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def exit_code(self) -> int | None:
        """None while it runs."""
        code = self._process.poll()
        return 137 if self._killed and code is not None else code

    def first(self) -> psutil.Process | None:
        """What is PID 1 in there."""
        try:
            (child,) = psutil.Process(self._process.pid).children()
        except (psutil.Error, ValueError):
            return None
        return child

    def signal(self, number: int) -> None:
        child = self.first()
        if child is not None:
            self._killed = self._killed or number == signal.SIGKILL
            child.send_signal(number)

    def stop(self, grace_s: float) -> None:
        """As the kubelet does: SIGTERM, then SIGKILL."""
        self.signal(signal.SIGTERM)
        until = time.monotonic() + grace_s
        while self.exit_code() is None and time.monotonic() < until:
            time.sleep(0.05)
        self.signal(signal.SIGKILL)
        self._process.wait(10)

    def execute(self, argv: list[str]) -> subprocess.Popen[bytes]:
        """Another process in it."""
        child = self.first()
        assert child is not None, "it has ended"
        user, group = self._ids().split()
        clean = ["/usr/bin/env", "-i", *(f"{name}={value}" for name, value in self._env.items()), *argv]
        return subprocess.Popen(
            [
                *("nsenter", f"--target={child.pid}", "--mount", "--pid", "--net"),
                *(f"--root=/proc/{child.pid}/root", "--wd=/", "--"),
                *("/usr/bin/setpriv", "--reuid", user, "--regid", group, "--clear-groups", "--no-new-privs"),
                *("--bounding-set=-all", "--inh-caps=-all", *clean),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )  # fmt: skip

    def _ids(self) -> str:
        context = self._spec.get("securityContext", {})
        user = context.get("runAsUser")
        assert user, (
            "Locust's image names its user: without a number the kubelet cannot see that it is not root"
        )
        return f"{user} {context.get('runAsGroup', user)}"

    def _image(self) -> list[tuple[str, str, str]]:
        base = Path(sys.base_prefix)
        own = [] if base.is_relative_to("/usr") else [(str(base), str(base), "ro")]
        return [*own, (str(VENV), IMAGE_VENV, "ro")]

    def _environment(self, pod: dict[str, Any]) -> dict[str, str]:
        env = {"PATH": f"{IMAGE_VENV}/bin:/usr/bin:/bin", "HOSTNAME": pod["metadata"]["name"]}
        for source in self._one.get("envFrom", []):
            env.update(self._data("Secret", source["secretRef"]["name"], text=True))
        index = pod["metadata"]["annotations"].get("batch.kubernetes.io/job-completion-index")
        env.update({} if index is None else {"JOB_COMPLETION_INDEX": index})
        for one in self._one.get("env", []):
            env[one["name"]] = _expanded(one["value"], env)
        return env

    def _volumes(self) -> list[tuple[str, str, str]]:
        binds = []
        for mount in self._one["volumeMounts"]:
            (volume,) = [one for one in self._spec["volumes"] if one["name"] == mount["name"]]
            source = self._folder / "volumes" / volume["name"]
            source.mkdir(parents=True)
            if "emptyDir" in volume:
                os.chown(source, 0, self._spec["securityContext"]["fsGroup"])
                source.chmod(0o2777)
            else:
                self._fill(source, volume["configMap"])
            binds.append((str(source), mount["mountPath"], "ro" if mount.get("readOnly") else "rw"))
        return binds

    def _fill(self, folder: Path, wanted: dict[str, Any]) -> None:
        """As the kubelet lays a ConfigMap out: what is seen are links, so that it can be exchanged at once."""
        data = self._data("ConfigMap", wanted["name"])
        real = folder / "..2026_12_01"
        items = wanted.get("items") or [{"key": key, "path": key} for key in data]
        for item in items:
            path = real / item["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data[item["key"]])
        (folder / "..data").symlink_to(real.name)
        for top in real.iterdir():
            (folder / top.name).symlink_to(f"..data/{top.name}")
        for path in (folder, *folder.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() else 0o644)

    def _data(self, kind: str, name: str, *, text: bool = False) -> dict[str, Any]:
        found = self._objects(kind, name)
        plain = {key: value.encode() for key, value in found.get("data", {}).items()}
        coded = found.get("binaryData", {}) if kind == "ConfigMap" else found.get("data", {})
        values = {**plain, **{key: base64.b64decode(value) for key, value in coded.items()}}
        return {key: value.decode() for key, value in values.items()} if text else values


def _expanded(text: str, env: dict[str, str]) -> str:
    """As Kubernetes does: `$(NAME)` is a variable's value, `$$(` a literal one."""
    return re.sub(
        r"\$\$\(|\$\((\w+)\)", lambda found: "$(" if found[1] is None else env.get(found[1], found[0]), text
    )
