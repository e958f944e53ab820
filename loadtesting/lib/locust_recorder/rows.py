"""How a finished request becomes a line of JSON: the fields of toolkit/recording/records.py, in their order."""

from __future__ import annotations

import json
import re

_LONGEST = 2000
_MOST_KEPT = 5000
_USER_INFO = re.compile(r"://[^/?#@\s]*@")
_QUERY_VALUE = re.compile(r"([?&][^=&#\s]*)=[^&#\s]*")
_PLAIN = re.compile(r"[\w-]+", re.ASCII)

Beginning = tuple[str, str, str, str, str, str]
"""Protocol, scenario, name, method, url, phase."""
Times = tuple[int, int, "int | None", int]
"""Intended, start, first byte, end: UTC nanoseconds."""

_beginnings: dict[Beginning, str] = {}


def without_secrets(text: str) -> str:
    """Without user-info and query values: a token in a query must not end up in a report; the keys stay."""
    return _QUERY_VALUE.sub(r"\1=", _USER_INFO.sub("://", text))


def safe_url(url: str) -> str:
    """As it goes over the wire, but without fragment and secrets."""
    return without_secrets(url.split("#", 1)[0])[:_LONGEST]


def quoted(text: str | None) -> str:
    """As JSON; a lone surrogate, which no UTF-8 file can hold, is escaped."""
    if text is None:
        return "null"
    return f'"{text}"' if _PLAIN.fullmatch(text) else json.dumps(text)


def beginning(kind: Beginning) -> str:
    """What all requests of one kind have in common."""
    known = _beginnings.get(kind)
    if known is None:
        if len(_beginnings) >= _MOST_KEPT:
            _beginnings.clear()
        protocol, scenario, name, method, url, phase = kind
        known = _beginnings[kind] = (
            f'{{"protocol":{quoted(protocol)},"scenario":{quoted(scenario)},"name":{quoted(without_secrets(name)[:_LONGEST])}'
            f',"method":{quoted(method)},"url":{quoted(safe_url(url))},"phase":{quoted(phase)},"intended_ns":'
        )
    return known


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def line(
    kind: Beginning,
    times: Times,
    outcome: tuple[int | None, str | None, int | None, int | None, bool],
    request_id: str | None,
    user: str,
    answered_id: str | None,
) -> str:
    """One record. `outcome` is status, error, bytes in, bytes out, and whether a status of 400 or more is accepted."""
    intended, start, first_byte, end = times
    status, error, bytes_in, bytes_out, accepted = outcome
    right = '"accepted":true,' if accepted else ""
    answered = f',"answered_id":{quoted(answered_id)}' if answered_id else ""
    return (
        f'{beginning(kind)}{intended},"start_ns":{start},"first_byte_ns":{_number(first_byte)}'
        f',"end_ns":{end},"status":{_number(status)},"error":{quoted(error)},{right}'
        f'"bytes_in":{_number(bytes_in)},"bytes_out":{_number(bytes_out)},"request_id":{quoted(request_id)},"user":"{user}"{answered}}}\n'
    )
