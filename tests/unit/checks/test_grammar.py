"""How a check is written, and what is said where it is written wrong."""

from __future__ import annotations

import pytest

from toolkit.checks.grammar import CheckSyntaxError, parse
from toolkit.checks.quantity import quantile_of
from toolkit.checks.registry import QUANTITIES


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("http.p95 < 250ms", 250),
        ("http.p95{phase: peak} < 400ms over 30s", 400),
        ("http.errors{code: 5xx} rate < 0.1%", 0.1),
        ("ws.ack.p99 < 1s", 1000),
        ("server.accept_queue.max < 64", 64),
        ("server.rss.slope{phase: soak} < 1MB/h", 1_000_000),
        ("records.invalid == 0", 0),
        ("records.unsent == 0", 0),
        ("http.p99.9 <= 1.5s", 1500),
        ("http.ended per_s > 50/s", 50),
        ("http.ended per_s > 3000/m over 1m30s", 50),
        ("server.worker.rss.max < 2GiB", 2 * 2**30),
        ("server.host.pressure_memory_some.mean < 10%", 10),
        ('http.max{name: "a, {b}"} < 1s', 1000),
    ],
)
def test_what_can_be_written_keeps_its_words(text: str, limit: float) -> None:
    check = parse(text)
    assert check.text == text
    assert check.limit == pytest.approx(limit)
    assert parse(check.text) == check


def test_the_same_check_in_other_words() -> None:
    assert parse("  http.errors.rate{ code:5xx }<0.1 %").text == "http.errors{code: 5xx} rate < 0.1%"
    assert parse("http.errors.count==0").text == "http.errors == 0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begin with what is measured"),
        ("http.p95", "there is no comparison"),
        ("http.p95 250ms", "there is no comparison"),
        ("http.p95 <", "there is no limit"),
        ("http.p95 < over 30s", "there is no limit"),
        ("http.p95 < 250", "'250' has no unit; write 250ms"),
        ("http.p95 < 250MB", "'MB' is no unit of this quantity; write 250ms"),
        ("http.errors rate < 5", "write 0.1%"),
        ("server.rss.slope < 1MB", "write 1MB/h"),
        ("http.p95 < nan", "'nan' is no number that something could be compared with"),
        ("http.p95 < infms", "is no number"),
        ("http.p95 < fast", "'fast' is no number"),
        ("htp.p95 < 1s", "did you mean 'http.p95'?"),
        ("server.acceptqueue.max < 6", "did you mean 'server.accept_queue.max'?"),
        ("http < 1s", "'http' needs a statistic"),
        ("http.maen < 1s", "did you mean 'mean'?"),
        ("http.p95{phse: x} < 1s", "did you mean 'phase'?"),
        ("server.rss.max{code: 5xx} < 1GB", "server.rss has no tag 'code'"),
        ("records.invalid{phase: x} == 0", "it has no tags"),
        ("http.p95{phase: a, phase: b} < 1s", "stands twice"),
        ("http.p95{phase: } < 1s", "has no value"),
        ("http.p95{phase: peak < 1s", "do not end"),
        ("http.p95{peak} < 1s", "is no tag"),
        ("http.errors = 0", "'=' is no comparison; write =="),
        ("http.errors.rate count < 1%", "two statistics"),
        ("http.p95 < 1s for 30s", "only `over 30s` can"),
        ("http.p95 < 1s over 500ms", "whole seconds"),
        ("http.p95 < 1s over soon", "no duration"),
        ("http.errors == 0 over 30s", "a window needs"),
        ("records.invalid < 1 over 30s", "it has no windows"),
        ("http.p95 < 1s over 30s " + "x" * 1000, "longer than"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(CheckSyntaxError) as caught:
        parse(text)
    assert said in str(caught.value)


def test_all_mistakes_of_a_check_come_at_once() -> None:
    with pytest.raises(CheckSyntaxError) as caught:
        parse("http.p95{phse: x} < 250MB over 3x")
    for said in ("'phse'", "'MB'", "'3x'"):
        assert said in str(caught.value)


def test_quantiles() -> None:
    assert quantile_of("p99.9") == quantile_of("p999") == 0.999
    assert quantile_of("p5") == 0.05
    assert quantile_of("p100") == 1.0
    assert quantile_of("p9.5") == 0.095
    assert quantile_of("p") is quantile_of("mean") is None


@pytest.mark.parametrize("odd", ["p101", "p950", "p1000", "p100.5", "p1001"])
def test_a_quantile_that_could_mean_two_things_is_refused(odd: str) -> None:
    with pytest.raises(CheckSyntaxError, match=odd):
        parse(f"http.{odd} < 10s")


@pytest.mark.parametrize("name", QUANTITIES)
def test_every_quantity_can_be_checked_as_its_own_example_says(name: str) -> None:
    quantity = QUANTITIES[name]
    for statistic in quantity.statistics:
        number = quantity.unit_of(statistic).example.split(" or ")[0]
        limit = "5" if number.startswith("a plain") else number
        check = parse(f"{name}.{statistic} < {limit}")
        assert parse(check.text) == check
    assert quantity.meaning
