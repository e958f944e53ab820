"""The packed profile: what was packed is what comes out, in the bytes that the page's reader expects, and never too large."""

from __future__ import annotations

import gzip
import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.page.sample_profile import sample_profile, time_of
from tests.packed_profiles import PackSource
from toolkit.analysis.windows import OFF, Selection, stacks_of_window, window_times
from toolkit.analysis.windows_frames import Naming
from toolkit.analysis.windows_profile import Frame, Process, RecordedProfile, Slice, ViewState
from toolkit.analysis.windows_slices import Window
from toolkit.reports.profile_coarsening import lengthen, prune
from toolkit.reports.profile_pack import pack, unpack
from toolkit.reports.varints import decode, deltas, encode


@given(st.lists(st.integers(min_value=0, max_value=2**53)))
def test_numbers_survive(values: list[int]) -> None:
    assert decode(encode(values)) == values


def test_varints_are_leb128() -> None:
    assert encode([0, 1, 127, 128, 300, 16_384]) == b"\x00\x01\x7f\x80\x01\xac\x02\x80\x80\x01"
    assert deltas([5, 3, 3, 10]) == [10, 3, 0, 14]
    with pytest.raises(ValueError, match="negative"):
        encode([-1])
    with pytest.raises(ValueError, match="cut short"):
        decode(b"\x01\x80")


@pytest.mark.parametrize("hostile", [False, True])
def test_a_profile_survives(hostile: bool) -> None:
    profile = sample_profile(hostile=hostile)

    assert unpack(pack(profile)) == profile
    assert pack(profile) == pack(sample_profile(hostile=hostile))
    assert len(profile.entry_nodes) > 1000


def test_an_empty_profile_survives() -> None:
    assert unpack(pack(RecordedProfile())) == RecordedProfile()


def test_the_bytes_are_as_the_page_reads_them() -> None:
    profile = RecordedProfile(
        1000,
        ["web"],
        ["wall"],
        [ViewState(0, 0, shown=True, note="", rate_hz=20.0)],
        [Process(0, 7, "worker")],
        slices=[Slice(0, 0, -5, 5000, 50_000)],
    )
    profile.tree.frames = [Frame("main", "/a.py", 1, 0, "a"), Frame("f", "/a.py", 2, 0, "a")]
    profile.tree.parents.extend([0, 1])
    profile.tree.node_frames.extend([0, 1])
    profile.add_group(0, 0, [1], [300])
    plain = gzip.decompress(pack(profile))

    assert plain[:4] == b"TKP1"
    (length,) = struct.unpack_from("<I", plain, 4)
    header = json.loads(plain[8 : 8 + length])
    assert header["names"] == ["main", "f"]
    assert header["files"] == ["/a.py"]
    place = header["columns"]["entry.count"]
    at = 8 + length + place["offset"]
    assert plain[at : at + place["bytes"]] == b"\xac\x02"
    place = header["columns"]["slice.start"]
    assert place["delta"]
    at = 8 + length + place["offset"]
    assert plain[at : at + place["bytes"]] == b"\x09"  # -5, folded


def test_bytes_that_are_no_profile_are_refused() -> None:
    with pytest.raises(ValueError, match="not a packed profile"):
        unpack(gzip.compress(b"something else"))


def test_a_long_run_stays_small_and_loses_no_time() -> None:
    profile = sample_profile(seconds=1200, workers=4, servers=1, stacks=600, entries=30)
    whole = pack(profile)
    largest = len(whole) // 4
    packed = pack(profile, largest)
    coarse = unpack(packed)

    assert not unpack(whole).coarsened
    assert len(packed) <= largest
    assert coarse.coarsened
    assert "count on their caller" in coarse.note
    assert time_of(coarse) == time_of(profile)
    for view in ("wall", "cpu", "gil"):
        selection = Selection("web-1", view)
        fine, few = own_times(profile, selection), own_times(coarse, selection)
        assert few["hot"] == fine["hot"] > 0
        assert sum(few.values()) == sum(fine.values())


def own_times(profile: RecordedProfile, selection: Selection) -> dict[str, int]:
    source = PackSource(profile)
    found: dict[str, int] = {}
    for labels, us in stacks_of_window(window_times(source, selection).times, source.frames, Naming()):
        name = labels[-1].split(" (")[0]
        found[name] = found.get(name, 0) + us
    return found


def test_merged_slices_hold_what_their_chunks_held() -> None:
    profile = sample_profile(seconds=100)
    coarse = lengthen(profile, 4)

    assert coarse.chunk_s == pytest.approx(20, abs=0.1)
    assert len(coarse.slices) < len(profile.slices) / 3
    assert time_of(coarse) == time_of(profile)
    assert sum(one.length for one in coarse.slices) == sum(one.length for one in profile.slices)
    for view in ("wall", OFF):
        fine = window_times(PackSource(profile), Selection("web-1", view))
        few = window_times(PackSource(coarse), Selection("web-1", view))
        assert fine.times == few.times


def test_slices_of_different_rates_become_milliseconds() -> None:
    profile = sample_profile(seconds=20, servers=1)
    profile.slices = [
        Slice(one.server, one.view, one.start, one.length, 50_000 if number % 2 else 33_333)
        for number, one in enumerate(profile.slices)
    ]
    coarse = lengthen(profile, 8)

    assert 1000 in {one.unit for one in coarse.slices} <= {1000, 33_333, 50_000}
    assert time_of(coarse) == pytest.approx(time_of(profile), rel=0.001)


def test_a_chunk_of_unknown_time_stays_apart() -> None:
    profile = sample_profile(seconds=20, servers=1)
    profile.slices[0] = Slice(0, 0, 0, 0, 50_000)
    coarse = lengthen(profile, 100)

    assert [one.length for one in coarse.slices if not one.length] == [0]
    assert time_of(coarse) == time_of(profile)


def test_what_takes_time_once_in_a_while_is_not_pruned() -> None:
    profile = sample_profile(seconds=1200, servers=1, stacks=300)
    coarse = prune(profile, 0.01)

    def functions(of: RecordedProfile, window: Window) -> set[str]:
        return set(own_times(of, Selection("web-1", "wall", None, window)))

    assert len(coarse.tree.parents) < len(profile.tree.parents) / 2
    # `render` is called in the first quarter alone, and takes a good part of it.
    assert "render" in functions(coarse, Window(0, 200))
    assert "render" not in functions(coarse, Window(600, 900))
