"""What a cluster says of its pods: whether they run yet, why not, and what became of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.engines.kubernetes.objects import COMPONENT, INSTANCE
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from toolkit.transports.kubectl import Kubectl

_INDEX = "batch.kubernetes.io/job-completion-index"
_HOPELESS = {
    *("ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"),
    *("CreateContainerConfigError", "CreateContainerError", "RunContainerError"),
}
"""Reasons for which a pod that waits waits in vain."""
_RUNS, _ENDED = "Running", ("Failed", "Succeeded")


@dataclass(frozen=True)
class Seen:
    """The pods of a load, at one moment."""

    running: dict[str, str]
    """Process (`main`, `worker-1`) → pod."""
    waits: str
    """Why one does not run yet; empty where nothing is said of it."""
    hopeless: str
    """Why one never will."""


def look_at(kubectl: Kubectl, name: str) -> Seen:
    """All pods of a load.

    Raises:
        ToolkitError: as `Kubectl.listed`.
    """
    running, waits, hopeless = {}, "", ""
    for pod in kubectl.listed("pods", f"{INSTANCE}={name}"):
        called, status = str(pod["metadata"]["name"]), pod.get("status") or {}
        phase = str(status.get("phase") or "")
        if phase == _RUNS and _container(status, "running") is not None:
            running[_process(pod)] = called
        elif phase in _ENDED or pod["metadata"].get("deletionTimestamp"):
            said = (kubectl.logs(called) or [""])[-1]
            hopeless = f"the pod {called} {_ended(status)}{': ' if said else ''}{said}"
        else:
            reason, message = _waiting(status)
            waits = f"{called}: {message or reason or 'is not scheduled yet'}"
            hopeless = hopeless or (f"the pod {waits}" if reason in _HOPELESS else "")
    return Seen(running, waits or _last_event(kubectl, name, running), hopeless)


def fate_of(kubectl: Kubectl, pod: str) -> str:
    """What became of a pod, as in "was deleted"; empty where it still runs.

    Raises:
        ToolkitError: the cluster cannot be asked.
    """
    found = kubectl.listed_one("pod", pod)
    if found is None:
        return "was deleted"
    status = found.get("status") or {}
    if status.get("phase") == _RUNS and _container(status, "running") is not None:
        return "is being deleted" if found["metadata"].get("deletionTimestamp") else ""
    return _ended(status)


def _process(pod: dict[str, Any]) -> str:
    labels = pod["metadata"].get("labels") or {}
    if labels.get(COMPONENT) == "master":
        return "main"
    index = (pod["metadata"].get("annotations") or {}).get(_INDEX, labels.get(_INDEX, "0"))
    return f"worker-{int(index) + 1}"


def _container(status: dict[str, Any], state: str) -> dict[str, Any] | None:
    """A state of the one container; None where it is in another."""
    for one in status.get("containerStatuses") or ():
        found = (one.get("state") or {}).get(state)
        return None if found is None else dict(found)
    return None


def _waiting(status: dict[str, Any]) -> tuple[str, str]:
    """(reason, message) of a pod that does not run yet."""
    waiting = _container(status, "waiting")
    if waiting is not None:
        reason = str(waiting.get("reason") or "")
        return reason, f"{reason}: {waiting['message']}" if waiting.get("message") else reason
    unmet: Sequence[dict[str, Any]] = [
        one for one in status.get("conditions") or () if one.get("status") == "False"
    ]
    return "", next((str(one["message"]) for one in unmet if one.get("message")), "")


def _ended(status: dict[str, Any]) -> str:
    """How a pod ended."""
    if status.get("reason"):  # Evicted, DeadlineExceeded, of the pod itself
        return f"was ended by the cluster ({status['reason']}{': ' + status['message'] if status.get('message') else ''})"
    ended = _container(status, "terminated")
    if ended is None:
        return "does not run any more"
    reason = str(ended.get("reason") or "")
    if reason == "OOMKilled":
        return "was killed: it needed more memory than it is given (OOMKilled)"
    signalled = int(ended.get("exitCode") or 0) - 128
    return (
        "was ended by SIGKILL"
        if signalled == 9
        else f"ended with exit code {ended.get('exitCode')} ({reason or 'no reason'})"
    )


def _last_event(kubectl: Kubectl, name: str, running: dict[str, str]) -> str:
    """Why no pods are made, where none are: the quota, say, or what admits pods."""
    if running:
        return ""
    try:
        events = kubectl.listed("events")
    except ToolkitError:  # who may not read events is not told by them
        return ""
    own = [one for one in events if str((one.get("involvedObject") or {}).get("name", "")).startswith(name)]
    warnings = [str(one.get("message")) for one in own if one.get("type") == "Warning" and one.get("message")]
    return warnings[-1] if warnings else ""
