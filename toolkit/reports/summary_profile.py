"""The profiles' part of summary.txt."""

from __future__ import annotations

import posixpath
from typing import Any

from toolkit.reports.terminal_text import fixed, number, printable, table

_WORDS = {"wall": "wall time", "cpu": "CPU time", "gil": "time with the GIL"}
_APPLICATION_ROWS = 12
_OTHER_ROWS = 6
_LEAST_PERCENT = 0.1


def profile_lines(summary: dict[str, Any]) -> list[str]:
    """For each server and view: how it was recorded, and where its time went."""
    lines: list[str] = []
    for server in summary["servers"]:
        address = f" ({printable(server['address'])})" if server["address"] else ""
        lines += ["", f"Profile of {printable(server['name'])}{address}"]
        message = server["budget"].get("message") if isinstance(server["budget"], dict) else None
        if message:
            lines.append(f"  {printable(str(message))}")
        for view in server["views"]:
            lines += _view(view)
    return lines


def _view(view: dict[str, Any]) -> list[str]:
    name = _WORDS.get(view["view"], printable(view["view"]))
    if not view["shown"]:
        reason = view["reason"] or view["note"] or "nothing was recorded"
        return [f"  {name}: not shown: {printable(reason)}"]
    lines = [
        f"  {name}: {view['samples']} samples, {number(view['sampled_s'], 2)} s of all threads, recorded for "
        f"{number(view['recorded_s'])} s at {number(view['rate_hz'], 2)} Hz in {view['chunks']} chunks",
        f"    {_accounts(view)}",
    ]
    if view["note"]:
        lines.append(f"    {printable(view['note'])}")
    return lines + _hotspots(view["hotspots"])


def _accounts(view: dict[str, Any]) -> str:
    said = [f"recorder: {number(view['recorder_cpu_s'], 2)} s of CPU"]
    if view["recorder_cpu_percent"] is not None:
        said[0] += f" ({number(view['recorder_cpu_percent'], 2)} % of one core)"
    said.append(f"{view['lost_chunks']} chunks lost")
    said.append(
        f"{view['late_chunks']} late"
        + (f" (up to {number(view['late_max_s'])} s)" if view["late_chunks"] else "")
    )
    said.append(f"{view['errors']} stacks dropped")
    return ", ".join(said)


def _hotspots(found: dict[str, Any]) -> list[str]:
    lines = [
        f"    {fixed(found['application_percent'])} % with a function of the application on the stack, "
        f"{fixed(found['server_percent'])} % in the server, its threads and libraries alone"
    ]
    shown = [row for row in found["application"] if row["own_percent"] >= _LEAST_PERCENT]
    folder = _shared_folder([row["file"] for row in shown])
    application = [
        [_name(row, folder), *_percents(row, "own", "self", "total"), fixed(row["own_s"], 2)]
        for row in shown[:_APPLICATION_ROWS]
    ]
    other = [
        [_name(row, ""), *_percents(row, "self", "total"), fixed(row["self_s"], 2)]
        for row in found["other"][:_OTHER_ROWS]
        if row["self_percent"] >= _LEAST_PERCENT
    ]
    lines += table(
        [
            f"application{f' in {printable(folder)}' if folder else ''} (own: with what it called in libraries)",
            "own %",
            "self %",
            "total %",
            "own s",
        ],
        application,
        indent="    ",
        widest=72,
    )
    lines += table(["libraries", "self %", "total %", "self s"], other, indent="    ", widest=72)
    return lines


def _percents(row: dict[str, Any], *kinds: str) -> list[str]:
    return [fixed(row[f"{kind}_percent"]) for kind in kinds]


def _name(row: dict[str, Any], folder: str) -> str:
    file = row["file"].removeprefix(folder)
    return f"{printable(row['function'])} ({printable(file)})" if file else printable(row["function"])


def _shared_folder(files: list[str]) -> str:
    """The folder that holds all of the application's files, with its slash: said once instead of in each line."""
    if not all(file.startswith("/") for file in files) or len(files) < 2:
        return ""
    folder = posixpath.commonpath([posixpath.dirname(file) for file in files])
    return "" if folder == "/" else f"{folder}/"
