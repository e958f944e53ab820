"""Writes the licences of everything that is pinned, or checks that the list is up to date: docs/licences.md."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import defaultdict
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEAD = """\
# Licences

`make licences` wrote this list, of every package that a lock file pins (`requirements.lock`, `package-lock.json`,
`requirements-locust.lock`), as each says it of itself. Parts of Artillery that are left out at set-up
(`--omit=optional`) are not in it. k6 (`make k6`, AGPL-3.0) is a program of its own that the toolkit starts; nothing of it is
linked or changed.

"""
ALLOWED = re.compile(
    r"(?:MIT(?:-0|-CMU| License)?|MIT No Attribution|ISC|0BSD|BSD(?: License|-[23]-Clause)?|"
    r"Apache(?:-2\.0| Software License| 2\.0)?|"
    r"BlueOak-1\.0\.0|CC0-1\.0|CC-BY-[34]\.0|Python-2\.0|PSF-2\.0|Python Software Foundation License|MPL-2\.0|"
    r"Mozilla Public License 2\.0 \(MPL 2\.0\)?|LGPL-2\.1(?:-or-later)?|ZPL-2\.1|Zope Public License|Zlib|WTFPL|Unlicense|"
    r"GNU Library or Lesser General Public License \(LGPL\)|EPL-2\.0)"
)
"""Licences that let us run and bring a package as we do; a new one is looked at by a person first."""
LOCUST = "Locust (`make locust`)"
_NAME = re.compile(r"^([A-Za-z0-9][\w.-]*)==(\S+)", re.MULTILINE)


def python_packages() -> dict[str, str]:
    """`name version` → licence, of requirements.lock."""
    pinned = _NAME.findall((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    return {f"{name} {version}": _licence_of(name) for name, version in pinned}


def locust_packages() -> dict[str, str]:
    """`name version` → licence, of what Locust brings beside those; empty where it is not installed."""
    if find_spec("locust") is None:
        return {}
    pinned = set(_NAME.findall((ROOT / "requirements-locust.lock").read_text(encoding="utf-8")))
    pinned -= set(_NAME.findall((ROOT / "requirements.lock").read_text(encoding="utf-8")))
    return {f"{name} {version}": _licence_of(name) for name, version in sorted(pinned)}


def _licence_of(name: str) -> str:
    try:
        said = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return "(for another platform)"
    if expression := said["License-Expression"]:
        return str(expression)
    classified = [
        one.rpartition(" :: ")[2]
        for one in said.get_all("Classifier") or []
        if one.startswith("License :: ") and one != "License :: OSI Approved"
    ]
    return " OR ".join(classified) or str(said["License"] or "(unknown)").partition("\n")[0].strip()


def node_packages() -> dict[str, str]:
    """`name version` → licence, of package-lock.json."""
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    return {
        f"{path.rpartition('node_modules/')[2]} {package['version']}": str(
            package.get("license") or _older(path)
        )
        for path, package in lock["packages"].items()
        if path and not package.get("optional")
    }


def _older(path: str) -> str:
    """The licence of a package that says it in the way of old, in its own file alone."""
    try:
        said = json.loads((ROOT / path / "package.json").read_text(encoding="utf-8")).get("licenses") or []
    except OSError:
        return "(unknown)"
    return " OR ".join(str(one.get("type")) for one in said) or "(unknown)"


def is_allowed(licence: str) -> bool:
    """Whether one of the licences that a package offers, or all that it joins, are known to be right for us."""
    if licence == "(for another platform)":
        return True
    offered = re.split(
        r"\s+OR\s+", licence.strip("()") if " OR " in licence or " AND " in licence else licence
    )
    return any(
        all(ALLOWED.fullmatch(part.strip().strip("()")) for part in re.split(r"\s+AND\s+", one))
        for one in offered
    )


def text(packages: dict[str, dict[str, str]]) -> str:
    """The document."""
    parts = [HEAD]
    for title, found in packages.items():
        parts.append(f"## {title}\n\n| licence | packages |\n|---|---|\n")
        by_licence: dict[str, list[str]] = defaultdict(list)
        for name, licence in found.items():
            by_licence[licence].append(name)
        ordered = sorted(by_licence.items(), key=lambda item: (-len(item[1]), item[0]))
        parts += [f"| {licence} | {', '.join(sorted(names))} |\n" for licence, names in ordered]
        parts.append("\n")
    return "".join(parts).rstrip("\n") + "\n"


def _differs(before: str, after: str, packages: dict[str, dict[str, str]]) -> bool:
    """Where Locust is not installed, its part cannot be looked at."""
    if packages[LOCUST]:
        return before != after
    end = f"\n## {LOCUST}"
    return before.partition(end)[0] != after.partition(end)[0]


def main() -> int:
    """The exit code: 1 where a licence has to be looked at, or the list is old."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="do not write")
    parser.add_argument("document", type=Path)
    given = parser.parse_args()
    packages = {"Python": python_packages(), "Node": node_packages(), LOCUST: locust_packages()}
    strange = [
        f"{name}: {licence}"
        for found in packages.values()
        for name, licence in found.items()
        if not is_allowed(licence)
    ]
    for one in strange:
        sys.stderr.write(f"A licence to look at: {one}\n")
    written = text(packages)
    if not given.check:
        given.document.write_text(written, encoding="utf-8")
    elif not given.document.is_file() or _differs(
        given.document.read_text(encoding="utf-8"), written, packages
    ):
        sys.stderr.write(f"{given.document} is not up to date: make licences\n")
        return 1
    return 1 if strange else 0


if __name__ == "__main__":
    sys.exit(main())
