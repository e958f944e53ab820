"""Says what is in a locustfile, as JSON: `python locust_check.py FILE`. It is imported, as Locust itself would, and nothing more.

`{"locust": version, "users": [{"name", "host", "tasks"}], "shape": name or null, "problem": text or "", "line": number or null}`
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import traceback
from pathlib import Path
from typing import Any

import locust
from locust.main import load_locustfile


def _user(name: str, kind: Any) -> dict[str, Any]:  # noqa: ANN401 - Locust's User
    tasks = len(getattr(kind, "tasks", None) or []) or len(getattr(kind, "functions", None) or [])
    return {"name": name, "host": getattr(kind, "host", None), "tasks": tasks}


def _look(path: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "locust": locust.__version__,
        "users": [],
        "shape": None,
        "problem": "",
        "line": None,
    }
    try:
        *_, users, shapes = load_locustfile(path)
    except SystemExit as error:
        return {**found, "problem": f"it ends the process while it is imported (exit code {error.code})"}
    except BaseException as error:  # noqa: BLE001 - whatever a user's file raises
        return {**found, **_raised(error, path)}
    found["users"] = [_user(name, kind) for name, kind in (users or _of_pytest(path)).items()]
    found["shape"] = type(shapes[0]).__name__ if shapes else None
    return found


def _raised(error: BaseException, path: str) -> dict[str, Any]:
    steps = [step for step in traceback.extract_tb(error.__traceback__) if Path(step.filename) == Path(path)]
    line = steps[-1].lineno if steps else getattr(error, "lineno", None)
    return {"problem": f"{type(error).__name__}: {error}".split("\n", 1)[0], "line": line}


def _of_pytest(path: str) -> dict[str, Any]:
    """Locust 2.44 and newer make users of pytest's functions, where a file has no users of its own."""
    try:
        from locust.util.load_locustfile import load_locustfile_pytest

        return dict(load_locustfile_pytest(path))
    except BaseException:  # noqa: BLE001 - pytest's own complaints about a file that is none of its tests
        return {}


def main() -> None:
    """What the file prints while it is imported is not ours to pass on."""
    sys.path.remove(str(Path(__file__).resolve().parent))
    with contextlib.redirect_stdout(io.StringIO()):
        said = _look(str(Path(sys.argv[1]).resolve()))
    print(json.dumps(said, default=str), flush=True)  # noqa: T201 - this is its output


if __name__ == "__main__":
    main()
