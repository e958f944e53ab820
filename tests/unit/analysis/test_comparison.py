"""What the verdicts of `toolkit compare` are made of."""

from __future__ import annotations

import math

import numpy as np
import pytest

from toolkit.analysis.comparison import chance, resampling
from toolkit.analysis.comparison.compare import RunSlices, compare_slices
from toolkit.analysis.comparison.servers import ServerPhase
from toolkit.analysis.comparison.slices import PER_DECADE, QUANTILES, Cell, CellKey, Window

_START = 1_795_271_400_000_000_000


def cell(milliseconds: np.ndarray, *, name: str = "GET /", failed: int = 0) -> Cell:
    """One request name; `milliseconds` are slices (of a second) x requests."""
    slices, in_each = milliseconds.shape
    bins = np.floor(PER_DECADE * np.log10(milliseconds * 1000)).astype(int)
    counts = np.zeros((slices, int(bins.max() - bins.min()) + 1))
    for number, row in enumerate(bins - bins.min()):
        counts[number] += np.bincount(row, minlength=counts.shape[1])
    failed_in = np.zeros(slices)
    failed_in[np.linspace(0, slices - 1, failed).astype(int)] = 1
    window = Window("http", "steady", _START, _START + slices * 10**9, milliseconds.size)
    quantiles = tuple(float(one) for one in np.quantile(milliseconds, QUANTILES))
    key = CellKey("http", "http", name, "steady")
    ended_in = np.full(slices, float(in_each))
    return Cell(
        key, window, milliseconds.size, milliseconds.size, failed, quantiles, counts, ended_in, failed_in
    )


def run_of(*cells: Cell, servers: dict[tuple[str, str], ServerPhase] | None = None) -> RunSlices:
    return RunSlices([cells[0].window], {one.key: one for one in cells}, servers or {})


def steady(seed: int, *, seconds: int = 120, times: float = 1.0, in_each: int = 50) -> np.ndarray:
    draws = np.random.default_rng(seed)
    return np.asarray(20 * draws.lognormal(0, 0.3, (seconds, in_each)) * times)


def verdicts(base: RunSlices, new: RunSlices, **settings: float) -> dict[str, str]:
    return {row["label"]: row["verdict"] for row in compare_slices(base, new, **settings)["comparisons"]}


def test_a_slower_service_is_worse_and_a_quicker_one_better() -> None:
    base = run_of(cell(steady(1)))
    slower = compare_slices(base, run_of(cell(steady(2, times=1.1))))
    by_label = {row["label"]: row for row in slower["comparisons"]}
    assert slower["verdict"] == "worse"
    assert [by_label[label]["verdict"] for label in ("p50", "p95", "throughput", "errors")] == [
        "worse",
        "worse",
        "no difference",
        "no difference",
    ]
    low, high = by_label["p50"]["relative_interval"]
    assert 0 < low < 0.1 < high < 0.15
    assert verdicts(base, run_of(cell(steady(2, times=0.9))))["p50"] == "better"
    assert compare_slices(base, run_of(cell(steady(3))))["verdict"] == "no difference"


def test_a_slow_period_is_no_slower_service() -> None:
    """Requests one by one would say that half of the time all is slower beyond doubt; there was one slow period."""
    restless = steady(2)
    restless[30:45] *= 1.6
    found = {
        row["label"]: row
        for row in compare_slices(run_of(cell(steady(1))), run_of(cell(restless)))["comparisons"]
    }
    assert found["p95"]["relative"] > 0.1
    assert found["p95"]["verdict"] == "not enough data"


def test_a_difference_below_the_threshold_is_none() -> None:
    base, new = run_of(cell(steady(1, in_each=2000))), run_of(cell(steady(2, in_each=2000, times=1.03)))
    assert verdicts(base, new)["p50"] == "worse"
    rows = compare_slices(base, new, threshold=0.05)["comparisons"]
    assert (rows[0]["verdict"], rows[0]["why"]) == ("no difference", "it differs, by less than 5 %")


def test_too_little_is_said_to_be_too_little() -> None:
    short = compare_slices(run_of(cell(steady(1, seconds=30))), run_of(cell(steady(2, seconds=30))))
    assert short["verdict"] == "not enough data"
    assert short["comparisons"][0]["why"] == "the phase lasted 30 s in base, 40 s are needed"
    rare = compare_slices(run_of(cell(steady(1, in_each=1))), run_of(cell(steady(2, in_each=1))))[
        "comparisons"
    ]
    assert [row["why"] for row in rare[1:3]] == [
        "120 requests were answered, 200 are needed",
        "120 requests were answered, 1,000 are needed",
    ]


def test_failures_are_judged_as_the_counts_that_they_are() -> None:
    base = run_of(cell(steady(1)))
    assert verdicts(base, run_of(cell(steady(2), failed=3)))["errors"] == "no difference"
    few, some = (run_of(cell(steady(seed), failed=failed)) for seed, failed in ((2, 20), (3, 34)))
    assert verdicts(few, some)["errors"] != "worse", (
        "evenly spread, they seem more certain than 20 and 34 can be"
    )
    rows = {
        row["label"]: row for row in compare_slices(base, run_of(cell(steady(2), failed=40)))["comparisons"]
    }
    assert rows["errors"]["verdict"] == "worse"
    assert rows["errors"]["interval"][0] >= 0


def test_names_of_one_side_are_listed() -> None:
    base = run_of(cell(steady(1)), cell(steady(3), name="GET /old"))
    found = compare_slices(base, run_of(cell(steady(2)), cell(steady(4), name="GET /new")))
    assert [row["name"] for row in found["only_in"]["base"]] == ["GET /old"]
    assert [row["name"] for row in found["only_in"]["new"]] == ["GET /new"]
    assert {row["name"] for row in found["comparisons"]} == {"GET /"}


def test_a_server_costs_more_cpu_for_a_request() -> None:
    def server(seed: int, cores: float) -> dict[tuple[str, str], ServerPhase]:
        draws = np.random.default_rng(seed)
        window = Window("", "steady", _START, _START + 120 * 10**9, 6000)
        ones = np.ones(120)
        used = cores * draws.normal(1, 0.03, 120)
        return {
            ("web", "steady"): ServerPhase(
                "web", window, 50 * ones, used, ones, 3e8 * ones, ones, 0 * ones, ones
            )
        }

    base = run_of(cell(steady(1)), servers=server(1, 0.5))
    rows = compare_slices(base, run_of(cell(steady(2)), servers=server(2, 0.6)))["comparisons"]
    of_server = {row["metric"]: row for row in rows if row["of"] == "server"}
    assert of_server["cpu_s_per_request"]["base"] == pytest.approx(0.01, rel=0.02)
    assert [row["verdict"] for row in of_server.values()] == ["worse", "no difference", "no difference"]


def test_rounds_draw_blocks_of_neighbours() -> None:
    weights = resampling.block_weights(20, 5, (1, 2), rounds=50)
    assert weights.shape == (50, 20)
    assert (weights.sum(axis=1) == 20).all()
    assert (weights == resampling.block_weights(20, 5, (1, 2), rounds=50)).all(), (
        "the same run, the same verdict"
    )
    alone = np.argwhere((weights[:, 5] > 0) & (weights[:, 4] == 0) & (weights[:, 6] == 0))
    assert not alone.size, "no slice comes without a neighbour"


def test_long_memory_asks_for_long_blocks() -> None:
    draws = np.random.default_rng(5)
    noise = draws.normal(size=240)
    slow = np.convolve(draws.normal(size=300), np.ones(12), "valid")[:240]
    short, long = resampling.block_length([noise], 240), resampling.block_length([slow], 240)
    assert short == 15, "never shorter than a sixteenth"
    assert short < long <= 30, "never so long that fewer than eight are left"
    assert resampling.block_length([np.zeros(240)], 240) == 15


@pytest.mark.parametrize(
    ("t", "degrees", "probability"), [(2.228, 10, 0.05), (3.169, 10, 0.01), (2.750, 30, 0.01)]
)
def test_scores_are_as_unlikely_as_students_t(t: float, degrees: float, probability: float) -> None:
    score = chance.score_of(t, degrees)
    assert chance.probability_of(score) == pytest.approx(probability, rel=0.03)
    assert chance.t_of(score, degrees) == pytest.approx(t)


def test_many_comparisons_must_pass_more_than_one() -> None:
    draws = np.abs(np.random.default_rng(1).normal(size=(4000, 100)))
    [one] = chance.correct([2.4], draws[:, :1], 0.05)
    many = chance.correct([2.4] + [0.0] * 99, draws, 0.05)
    assert one.passed
    assert not many[0].passed
    assert many[0].limit == pytest.approx(3.48, abs=0.15), "as Bonferroni where nothing moves together"
    together = chance.correct([2.4] + [0.0] * 99, np.repeat(draws[:, :1], 100, axis=1), 0.05)
    assert together[0].passed, "a hundred names for one thing are one comparison"
    assert math.isclose(together[0].limit, one.limit)


def test_counts_against_the_binomial() -> None:
    # 1 of 9 on the one side is as unlikely as 10 + 10 of 512 throws of a coin.
    assert chance.probability_of(chance.score_of_counts(1, 100, 8, 100)) == pytest.approx(20 / 512, rel=1e-6)
    assert chance.score_of_counts(0, 100, 0, 100) == 0
