"""How the recorders of one view fared. A chunk is a row of `queries/chunk_list.sql`."""

from __future__ import annotations

from typing import Any


def recording(chunks: list[dict[str, Any]]) -> dict[str, Any]:
    """How the recorders fared."""
    lasted = recorded_s(chunks)
    cpu_s = sum(chunk["cpu_s"] or 0.0 for chunk in chunks)
    late = [chunk["late_s"] for chunk in chunks if chunk["late_s"]]
    return {
        "rate_hz": mean_rate(chunks) or None,
        "recorded_s": round(lasted, 3),
        "chunks": len(chunks),
        "lost_chunks": sum(1 for chunk in chunks if chunk["counted"] is None),
        "lost_because": sorted(
            {chunk["note"] for chunk in chunks if chunk["counted"] is None and chunk["note"]}
        )[:3],
        "cut_chunks": sum(1 for chunk in chunks if chunk["whole"] is False),
        "unlisted_chunks": sum(1 for chunk in chunks if not chunk["listed"]),
        "unreadable_records": sum(chunk["unreadable"] or 0 for chunk in chunks),
        "errors": sum(chunk["errors"] or 0 for chunk in chunks),
        "late_chunks": len(late),
        "late_max_s": round(max(late, default=0.0), 3),
        "recorder_cpu_s": round(cpu_s, 3),
        "recorder_cpu_percent": round(cpu_s / lasted * 100, 2) if lasted else None,
    }


def recorded_s(chunks: list[dict[str, Any]]) -> float:
    """Seconds of the clock that the chunks cover; overlaps count once, chunks without times not at all."""
    spans = sorted(
        (chunk["start_ns"], chunk["end_ns"]) for chunk in chunks if chunk["start_ns"] and chunk["end_ns"]
    )
    covered, reached = 0, 0
    for start_ns, end_ns in spans:
        covered += max(0, end_ns - max(start_ns, reached))
        reached = max(reached, end_ns)
    return covered / 1e9


def mean_rate(chunks: list[dict[str, Any]]) -> float:
    """Samples a second, weighted by how long each chunk lasted; 0 where no chunk names one."""
    weighted = [
        (chunk["rate_hz"], max(1, (chunk["end_ns"] or 0) - (chunk["start_ns"] or 0)))
        for chunk in chunks
        if chunk["rate_hz"]
    ]
    total = sum(weight for _, weight in weighted)
    return round(sum(rate * weight for rate, weight in weighted) / total, 3) if total else 0.0
