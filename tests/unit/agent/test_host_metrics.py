"""The host's counters out of the kernel's own texts, and out of texts that are none."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolkit.recording.metric_fields import HOST

host_metrics = import_module("host_metrics")
kernel_files = import_module("kernel_files")

CAPTURED = Path(__file__).parent / "captured" / "host"


def captured(name: str) -> bytes:
    return (CAPTURED / f"{name}.txt").read_bytes()


def test_cpu_seconds_and_cores() -> None:
    assert host_metrics.cpu(captured("stat")) == {
        "cpu_user": pytest.approx(9453.39 + 179.54),
        "cpu_system": pytest.approx(1160.89 + 122.36),
        "cpu_iowait": 73.03,
        "cpu_steal": 15.37,
        "cpu_idle": 17904.96,
        "cores": 2,
        "context_switches": int(captured("stat").split(b"ctxt ")[1].split()[0]),
    }


def test_memory_and_swap_are_bytes() -> None:
    assert host_metrics.memory(captured("meminfo")) == {
        "memory_total": 24683656 * 1024,
        "memory_available": 23271608 * 1024,
        "swap_total": 0,
        "swap_used": 0,
    }
    told = host_metrics.memory(b"MemTotal: 8 kB\nSwapTotal:  100 kB\nSwapFree:  40 kB\n")
    assert told == {"memory_total": 8192, "swap_total": 102400, "swap_used": 61440}, (
        "no MemAvailable: left out"
    )


def test_paging_counts_bytes_and_kills() -> None:
    told = host_metrics.virtual_memory(b"nr_free_pages 1\npswpin 3\npswpout 4\nfoo_oom_kill 9\noom_kill 2\n")
    assert told == {"swap_in": 3 * 4096, "swap_out": 4 * 4096, "oom_kills": 2}
    assert set(host_metrics.virtual_memory(captured("vmstat"))) == {"swap_in", "swap_out", "oom_kills"}


def test_loopback_is_told_apart_from_the_network() -> None:
    assert host_metrics.interfaces(captured("net-dev")) == {
        "net_loopback": 10371728257,
        "net_in": 3915274142,
        "net_out": 13151733,
        "net_drops": 0,
    }
    line = b"eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"
    assert host_metrics.interfaces(b"a\nb\n" + line)["net_drops"] == 4 + 12


def test_partitions_and_virtual_disks_count_once() -> None:
    lines = [line.split() for line in captured("diskstats").splitlines()]
    whole = [fields for fields in lines if fields[2] == b"vda"]
    assert host_metrics.disks(whole) == {"disk_read": 28472650 * 512, "disk_write": 39323112 * 512}
    assert host_metrics.disks([]) == {}, "no disk is known: left out, not 0"


def test_protocol_counters_are_found_by_their_names() -> None:
    assert host_metrics.protocol("tcp_retransmits", captured("snmp"), b"Tcp:", b"RetransSegs") == {
        "tcp_retransmits": 2875
    }
    found = host_metrics.protocol("listen_overflows", captured("netstat"), b"TcpExt:", b"ListenOverflows")
    assert found == {"listen_overflows": 0}
    assert host_metrics.protocol("x", captured("snmp"), b"Tcp:", b"NoSuchField") == {}
    assert host_metrics.protocol("x", b"Tcp: RetransSegs\nTcp:\n", b"Tcp:", b"RetransSegs") == {}


def test_pressure_is_seconds() -> None:
    text = b"some avg10=1.00 avg60=0.00 avg300=0.00 total=2500000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=5\n"
    assert host_metrics.pressure("io", text, ("some", "full")) == {
        "pressure_io_some": 2.5,
        "pressure_io_full": 5e-6,
    }
    assert host_metrics.pressure("cpu", text, ("some",)) == {"pressure_cpu_some": 2.5}
    assert host_metrics.pressure("cpu", b"", ("some",)) == {}, "a kernel without it"


def test_idle_never_steps_back() -> None:
    host = host_metrics.Host(1)
    assert host._never_less({"cpu_idle": 5.0, "cpu_iowait": 1.0}) == {"cpu_idle": 5.0, "cpu_iowait": 1.0}
    assert host._never_less({"cpu_idle": 4.9, "cpu_iowait": 1.1}) == {"cpu_idle": 5.0, "cpu_iowait": 1.1}


PARSERS: list[Any] = [
    host_metrics.cpu,
    host_metrics.load,
    host_metrics.memory,
    host_metrics.virtual_memory,
    host_metrics.interfaces,
    lambda data: host_metrics.disks([line.split() for line in data.splitlines() if len(line.split()) > 9]),
    lambda data: host_metrics.pressure("cpu", data, ("some", "full")),
    lambda data: host_metrics.protocol("tcp_retransmits", data, b"Tcp:", b"RetransSegs"),
]


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from(sorted(path.stem for path in CAPTURED.iterdir())),
    st.integers(0, 3000),
)
def test_a_text_that_is_torn_or_is_none_breaks_nothing(noise: bytes, name: str, cut: int) -> None:
    text = captured(name)
    for data in (noise, text[:cut], text[:cut] + noise, text[cut:], noise + text):
        for parse in PARSERS:
            json.dumps(parse(data), allow_nan=True)


@pytest.mark.skipif(not Path("/proc/stat").exists(), reason="no /proc")
def test_every_name_is_agreed_on_and_every_value_is_one() -> None:
    host = host_metrics.Host(1)
    told = host.read()
    host.close()

    assert set(told) <= set(HOST)
    assert {"cpu_user", "cores", "load_1", "memory_available", "net_loopback", "context_switches"} <= set(
        told
    )
    assert all(isinstance(value, (int, float)) and value >= 0 for value in told.values())


def test_a_file_that_does_not_exist_is_empty_and_is_not_tried_again(tmp_path: Path) -> None:
    file = kernel_files.KernelFile(str(tmp_path / "later"))
    assert file.read() == b""
    (tmp_path / "later").write_bytes(b"now")
    assert file.read() == b""


def test_a_file_is_read_anew_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "counter"
    path.write_bytes(b"x" * 100_000)
    file = kernel_files.KernelFile(str(path))
    assert file.read() == b"x" * 100_000
    path.write_bytes(b"2")
    assert file.read() == b"2"
    file.close()


@pytest.mark.parametrize(
    ("data", "key", "number"),
    [
        (b"a 1\nb 2\n", b"a ", 1),
        (b"a 1\nb 2\n", b"b ", 2),
        (b"aa 1\n", b"a ", None),
        (b"b:\t\t 77 kB", b"b:", 77),
        (b"b -5\n", b"b ", None),
        (b"b \n", b"b ", None),
        (b"", b"b ", None),
        (b"xb 1", b"b ", None),
    ],
)
def test_the_number_after_a_key(data: bytes, key: bytes, number: int | None) -> None:
    assert kernel_files.number_after(data, key) == number
