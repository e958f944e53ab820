"""Tracebacks as Python prints them, whole, cut, mixed and forged: exception, place, chain and the request they belong to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.analysis.logs.reading import captured, one, read

STAMP = "[2026-11-21 14:30:00 +0000] [701] [ERROR]"
LIBRARY = "/srv/venv/lib/python3.11/site-packages"


def frame(file: str, line: int, function: str, code: str = "go()") -> str:
    return f'  File "{file}", line {line}, in {function}\n    {code}\n'


def traceback(exception: str, *frames: str) -> str:
    return f"Traceback (most recent call last):\n{''.join(frames)}{exception}\n"


CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"
VIEW = frame("/srv/shop/orders/views.py", 12, "view")
LOCK = frame("/srv/shop/orders/models.py", 61, "lock_row", "rows = cursor.execute(sql)")
DRIVER = frame(f"{LIBRARY}/psycopg2/extras.py", 80, "execute")


def tracebacks(text: str, **said: Any) -> list[dict[str, Any]]:
    return [event for event in read(text, **said) if event["kind"] == "traceback"]


def test_a_chain_as_gunicorn_wrote_it() -> None:
    found = {event.get("url_path"): event for event in tracebacks(captured("gunicorn-27-sync.log"))}

    slow = found["/slow"]
    assert (slow["exception"], slow["message"], slow["pid"]) == ("SystemExit", "1", 11041)
    assert (
        slow["place"] == "orders/models.py:20 slow"
    )  # where it hung, not gunicorn's own frame that ended it
    deep = found["/deep"]
    assert deep["fingerprint"] == "RecursionError at orders/models.py recurse"
    syntax = found["/syntax"]
    assert (syntax["exception"], syntax["place"]) == ("SyntaxError", "orders/broken.py:1")
    assert found["/noted"]["message"] == "first line\nsecond line\na note"
    assert found["/noted"]["text"].endswith("second line\na note")
    group = found["/group"]
    assert (group["exception"], group["place"]) == ("ExceptionGroup", "orders/views.py:19 application")
    members = [(link["exception"], link["message"], link["link"]) for link in json.loads(group["chain"])]
    assert members == [
        ("ValueError", "one", "member"),
        ("TypeError", "two", "member"),
        ("ExceptionGroup", "two failed (2 sub-exceptions)", None),
    ]


def test_every_link_of_a_chain_with_its_frames() -> None:
    text = f"{STAMP} Error handling request /pay?card=4711\n" + traceback("KeyError: 7", LOCK)
    text += CAUSE + traceback("shop.LockError: row 7", VIEW, LOCK)
    text += CONTEXT + traceback("BrokenPipeError: [Errno 32] Broken pipe", VIEW)

    event = one(text)

    assert event["exception"] == "BrokenPipeError"
    assert event["message"] == "[Errno 32] Broken pipe"
    assert event["place"] == "orders/views.py:12 view"
    assert event["fingerprint"] == "BrokenPipeError at orders/views.py:12 view"
    assert (event["url_path"], event["pid"], event["level"]) == ("/pay", 701, "ERROR")
    assert event["position"] == 0
    assert event["bytes"] == len(text)
    assert event["text"] == text.rstrip("\n")
    chain = json.loads(event["chain"])
    assert [(link["exception"], link["link"]) for link in chain] == [
        ("KeyError", None), ("shop.LockError", "cause"), ("BrokenPipeError", "context"),
    ]  # fmt: skip
    assert chain[0]["frames"] == [
        ["/srv/shop/orders/models.py", 61, "lock_row", "rows = cursor.execute(sql)"]
    ]


def test_the_place_is_the_applications_innermost_frame() -> None:
    event = one(traceback("psycopg2.errors.Deadlock: x", VIEW, LOCK, DRIVER))
    assert event["place"] == "orders/models.py:61 lock_row"

    chained = (
        traceback("psycopg2.errors.Deadlock: x", LOCK, DRIVER)
        + CAUSE
        + traceback("sqlalchemy.Error: x", DRIVER)
    )
    assert one(chained)["place"] == "orders/models.py:61 lock_row"

    standard = frame("/usr/lib/python3.11/json/decoder.py", 355, "raw_decode")
    assert one(traceback("ValueError: x", DRIVER, standard))["place"] == "psycopg2/extras.py:80 execute"
    assert one(traceback("ValueError: x", standard))["place"] == "json/decoder.py:355 raw_decode"


def test_a_frame_of_gunicorn_is_none_of_the_application() -> None:
    handle = frame("/srv/src/gunicorn/workers/base.py", 204, "handle_abort", "sys.exit(1)")
    assert one(traceback("SystemExit: 1", VIEW, handle))["place"] == "orders/views.py:12 view"


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (
            "[2026-11-21 14:30:00,123] ERROR in app: Exception on /boom [GET]",
            {"url_path": "/boom", "method": "GET", "logger": "app", "level": "ERROR"},
        ),
        (
            "ERROR 2026-11-21 14:30:00,123 log 412 1400 Internal Server Error: /orders/7",
            {"url_path": "/orders/7", "level": "ERROR"},
        ),
        (
            "2026-11-21 14:30:00,123 - shop - ERROR - POST /pay failed, request_id=r-17",
            {"url_path": "/pay", "method": "POST", "request_id": "r-17", "logger": "shop"},
        ),
        (
            "ERROR:shop.orders:order failed X-Request-ID: abcd-1",
            {"request_id": "abcd-1", "logger": "shop.orders"},
        ),
        ("ERROR:    Exception in ASGI application", {"level": "ERROR"}),
        (f"{STAMP} Error handling request\nwith a second line", {"pid": 701, "event": "request_failed"}),
    ],
)
def test_the_line_before_tells_the_request(before: str, expected: dict[str, Any]) -> None:
    (event,) = tracebacks(f"{before}\n" + traceback("ValueError: x", VIEW))

    assert {name: event.get(name) for name in expected} == expected
    assert event["text"].startswith(before.partition("\n")[0])


def test_a_quiet_line_before_it_is_another_message() -> None:
    kinds = [
        event["kind"]
        for event in read(f"{STAMP.replace('ERROR', 'INFO')} ready\n" + traceback("ValueError", VIEW))
    ]
    assert kinds == ["message", "traceback"]


def test_lines_of_other_processes_between_its_own() -> None:
    lines = traceback("ValueError: x", VIEW, LOCK).splitlines(keepends=True)
    access = '127.0.0.1 - - [21/Nov/2026:14:30:00 +0000] "GET /x HTTP/1.1" 200 5\n'
    stranger = "[2026-11-21 14:30:00 +0000] [702] [INFO] Booting worker with pid: 702\n"
    text = "".join([*lines[:2], access, *lines[2:4], stranger, "printed by somebody\n", *lines[4:]])

    found = read(text)

    assert sorted(event["kind"] for event in found) == ["access", "gunicorn", "message", "traceback"]
    (event,) = tracebacks(text)
    assert (event["exception"], event["place"]) == ("ValueError", "orders/models.py:61 lock_row")


def test_one_cut_short_still_has_a_place() -> None:
    cut = traceback("ValueError: x", VIEW, LOCK).rpartition("ValueError")[0]
    (event,) = tracebacks(cut)
    assert "exception" not in event
    assert event["place"] == "orders/models.py:61 lock_row"
    assert event["fingerprint"] == "(cut short) at orders/models.py:61 lock_row"

    both = tracebacks(cut + traceback("KeyError: 1", VIEW))
    assert [event.get("exception") for event in both] == [None, "KeyError"]

    assert one("Traceback (most recent call last):\n")["fingerprint"] == "(cut short)"


def test_two_in_a_row_are_two() -> None:
    found = tracebacks(traceback("KeyError: 1", VIEW) + traceback("ValueError", LOCK))
    assert [event["exception"] for event in found] == ["KeyError", "ValueError"]


def test_what_is_printed_later_does_not_belong_to_it() -> None:
    found = read(traceback("KeyError: 1", VIEW) + "\nsomething else\n")
    assert [event["kind"] for event in found] == ["traceback", "message"]


def test_a_value_of_a_json_line() -> None:
    said = {
        "time": "2026-11-21T14:30:00.5Z",
        "level": "error",
        "logger": "shop",
        "message": "payment failed",
        "request_id": "r-9",
        "path": "/pay?card=1",
        "exc_info": traceback("KeyError: 7", LOCK) + CAUSE + traceback("ValueError: bad", VIEW),
    }
    event = one(json.dumps(said) + "\n")

    assert (event["kind"], event["exception"], event["message"]) == ("traceback", "ValueError", "bad")
    assert (event["request_id"], event["url_path"], event["level"]) == ("r-9", "/pay", "ERROR")
    assert len(json.loads(event["chain"])) == 2
    assert (
        one(json.dumps({"message": "it broke\n" + traceback("KeyError: 7", LOCK)}) + "\n")["exception"]
        == "KeyError"
    )


@pytest.mark.parametrize("key", ["exc_info", "message"])
def test_a_message_of_several_paragraphs_in_a_json_line(key: str) -> None:
    message = "first\nsecond\n\nfourth\nTraceback (most recent call last):\n  quoted"
    text = traceback(f"ValueError: {message}", VIEW)
    assert one(json.dumps({"level": "error", key: text}) + "\n")["message"] == message


def test_behind_a_containers_name() -> None:
    text = traceback("KeyError: 1", VIEW) + CONTEXT + traceback("ValueError: x", LOCK)
    event = one("".join(f"web-1  | {line}\n" for line in text.splitlines()))
    assert (event["exception"], len(json.loads(event["chain"]))) == ("ValueError", 2)


def test_of_two_processes_mixed_line_by_line_in_a_syslog() -> None:
    first, second = traceback("KeyError: 1", VIEW).splitlines(), traceback("ValueError: x", LOCK).splitlines()
    text = "".join(
        f"Nov 21 14:30:00 web gunicorn[{pid}]: {line}\n"
        for pair in zip(first, second, strict=True)
        for pid, line in zip((701, 702), pair, strict=True)
    )
    found = tracebacks(text)
    assert {(event["pid"], event["exception"]) for event in found} == {(701, "KeyError"), (702, "ValueError")}


def test_of_a_journals_entries() -> None:
    message = traceback("KeyError: 1", VIEW)
    entries = [
        {"t_us": 1795271400_500000, "pid": 701, "priority": 3, "identifier": "gunicorn", "message": message},
        {"t_us": 1795271400_600000, "pid": 700, "priority": 6, "identifier": "gunicorn",
         "message": "[2026-11-21 14:30:00 +0000] [700] [CRITICAL] WORKER TIMEOUT (pid:701)"},
    ]  # fmt: skip
    failed, timeout = read("".join(json.dumps(entry) + "\n" for entry in entries), kind="journal")
    assert (failed["exception"], failed["pid"], failed["level"]) == ("KeyError", 701, "ERROR")
    assert failed["stamp_ns"] == 1795271400_500000_000
    assert (timeout["event"], timeout["pid"], timeout["stamp_ns"]) == ("timeout", 701, 1795271400_600000_000)


def test_one_that_is_itself_the_message() -> None:
    (event,) = tracebacks(f"{STAMP} " + traceback("KeyError: 1", VIEW))
    assert (event["exception"], event["pid"]) == ("KeyError", 701)


def test_colours_do_not_hide_it() -> None:
    lines = traceback("KeyError: 1", VIEW).splitlines()
    event = one("".join(f"\x1b[1;35m{line}\x1b[0m\n" for line in lines))
    assert (event["exception"], event["place"]) == ("KeyError", "orders/views.py:12 view")


def test_deep_chains_and_long_stacks_stay_small() -> None:
    long = traceback("ValueError: " + "x" * 9000, *[LOCK.replace("61", str(number)) for number in range(80)])
    event = one(CONTEXT.join([long] * 1000))

    assert event["exception"] == "ValueError"
    assert len(event["message"]) <= 2000
    assert len(event["chain"]) <= 80_000
    assert len(event["text"].encode()) <= 8192
    assert event["text"].rstrip().endswith("…")
    chain = json.loads(event["chain"])
    assert "980 exceptions" in chain[5]["message"]
    assert chain[-1]["frames_left_out"] >= 20
    assert chain[-1]["frames"][-1][1] == 79


@pytest.mark.parametrize(
    "line",
    [
        '  File "' + "x" * 10_000 + '", line 1, in ' + "f" * 10_000,
        '  File "a", line 99999999999999999999, in f',
        '  File "a\x00<script>", line 1, in <b>f</b>',
        '  File "", line 0, in ',
        "    " * 5000,
        "  [Previous line repeated 99999999999999999999 more times]",
        "\x1b]0;title\x07",
    ],
)
def test_forged_frames_do_no_harm(line: str) -> None:
    found = read(f"Traceback (most recent call last):\n{line}\nValueError: x\n")
    for event in found:
        assert len(event.get("fingerprint", "")) <= 1000
        assert len(event.get("place", "")) <= 1000
        assert len(event["text"].encode()) <= 8192


def test_html_stays_text() -> None:
    event = one(traceback("ValueError: <script>alert(1)</script>", frame("<img src=x>", 1, "<b>")))
    assert event["message"] == "<script>alert(1)</script>"


GROUP = """[2026-11-21 05:04:59 +0000] [4692] [ERROR] Exception in ASGI application
  + Exception Group Traceback (most recent call last):
  |   File "/srv/shop/asgi.py", line 19, in application
  |     async with asyncio.TaskGroup() as tg:
  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "/srv/shop/asgi.py", line 22, in bad
    |     async def bad(i): raise ValueError(i)
    | ValueError: 1
    +---------------- 2 ----------------
    | Exception Group Traceback (most recent call last):
    |   File "/srv/shop/asgi.py", line 23, in worse
    | ExceptionGroup: one more (1 sub-exception)
    +-+---------------- 1 ----------------
      | Traceback (most recent call last):
      |   File "/srv/shop/asgi.py", line 24, in worst
      | ValueError: 3
      +------------------------------------
"""


@pytest.mark.parametrize("margin", ["", "web-1  | "])
def test_a_group_is_one_traceback_whatever_its_members_are(margin: str) -> None:
    text = GROUP + GROUP + f"{STAMP} Exception in ASGI application\n" + traceback("KeyError: 1", VIEW)

    events = read("".join(margin + line for line in text.splitlines(keepends=True)))

    found = [event for event in events if event["kind"] == "traceback"]
    assert [event["exception"] for event in found] == ["ExceptionGroup", "ExceptionGroup", "KeyError"]
    assert {event["place"] for event in found[:2]} == {"shop/asgi.py:19 application"}
    assert "ValueError: 3" in found[0]["text"]


def test_a_traceback_behind_another_one_may_be_a_part_of_its_message() -> None:
    """`ValueError(name)` with a name that a client sent."""
    message = traceback("ForgedError: no", frame("/srv/shop/payment.py", 7, "charge"))
    text = f"{STAMP} Error handling request /x\n" + traceback("ValueError: x", VIEW) + message
    real, forged = tracebacks(text + f"{STAMP} Error handling request /y\n" + traceback("KeyError: 1", VIEW))[
        :2
    ]

    assert (real["exception"], real.get("perhaps_quoted", False)) == ("ValueError", False)
    assert (forged["exception"], forged["perhaps_quoted"]) == ("ForgedError", True)


@pytest.mark.parametrize("level", ["INFO", "ERROR"])
@pytest.mark.parametrize("said", ["note: hello\n", "note: hello\nand more\n", "note: "])
def test_a_traceback_in_the_text_of_a_calm_message_may_be_a_clients(level: str, said: str) -> None:
    forged = traceback("ForgedError: no", frame("/srv/shop/payment.py", 7, "charge"))

    (event,) = tracebacks(f"2026-11-21 14:30:00,000 {level} shop: {said}{forged}")

    assert event.get("perhaps_quoted", False) == (level == "INFO")


@pytest.mark.parametrize(
    "said", ["Booting worker with pid: 8", "Control socket listening at /run/gunicorn.ctl"]
)
def test_a_traceback_that_is_printed_after_gunicorns_own_line_is_no_quotation(said: str) -> None:
    text = f"{STAMP.replace('ERROR', 'INFO')} {said}\n" + traceback("ValueError: x", VIEW)

    (event,) = tracebacks(text)

    assert not event.get("perhaps_quoted", False)


def test_a_record_with_an_old_stamp_is_text_that_somebody_logged() -> None:
    forged = traceback("ForgedError: no", frame("/srv/shop/payment.py", 7, "charge"))
    text = f"{STAMP.replace('14:30', '11:30')} boom\n{forged}{STAMP} Error handling request /x\n"

    quoted, real = tracebacks(text + traceback("ValueError: x", VIEW))

    assert (quoted["perhaps_quoted"], real["perhaps_quoted"]) == (True, False)


def test_gunicorns_own_record_in_the_text_of_a_calm_message_may_be_a_clients() -> None:
    told = f"{STAMP.replace('ERROR', 'INFO')} client says hello\n"
    failed = f"{STAMP} Error handling request /x\n" + traceback("ValueError: x", VIEW)

    alone, behind = tracebacks(failed + told + failed)

    assert (alone["perhaps_quoted"], behind["perhaps_quoted"]) == (False, True)
