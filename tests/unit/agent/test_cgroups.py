"""Finding a service's control group in either version, and its limits at whatever level they are set."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

cgroups = import_module("cgroups")

V2 = b"29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = (
    b"31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
    b"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    b"35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    b"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)


def folders(controller: str, groups: bytes, mounts: bytes) -> list[str]:
    found = cgroups.group_of(controller, groups, mounts)
    return found.folders if found else []


def test_version_2_and_everything_above() -> None:
    found = cgroups.group_of("memory", b"0::/system.slice/web.service\n", V2)
    assert found.version == 2
    assert found.folders == [
        "/sys/fs/cgroup/system.slice/web.service",
        "/sys/fs/cgroup/system.slice",
        "/sys/fs/cgroup",
    ]


def test_both_versions_beside_each_other() -> None:
    groups = b"5:memory:/docker/abc\n2:cpu,cpuacct:/\n0::/\n"
    assert folders("memory", groups, V1) == [
        "/sys/fs/cgroup/memory/docker/abc",
        "/sys/fs/cgroup/memory/docker",
    ]
    assert folders("cpu", groups, V1) == ["/sys/fs/cgroup/unified"], (
        "the whole machine's is not the service's"
    )


def test_inside_a_container_the_mount_is_the_group() -> None:
    mounts = b"35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
    assert folders("memory", b"5:memory:/docker/abc\n", mounts) == ["/sys/fs/cgroup/memory"]
    assert folders("memory", b"5:memory:/docker/abcdef\n", mounts) == [], "another container's"
    assert folders("memory", b"0::/\n", V2) == ["/sys/fs/cgroup"]


def test_what_lies_outside_of_our_view_is_not_looked_for() -> None:
    assert folders("memory", b"0::/../../etc\n", V2) == []
    assert folders("memory", b"0::relative\n", V2) == []
    assert folders("memory", b"", V2) == []
    assert folders("memory", b"0::/x\n", b"") == []


def test_a_name_may_hold_anything() -> None:
    assert folders("memory", b"0::/a:b c\\x2d\n", V2)[0] == "/sys/fs/cgroup/a:b c\\x2d"
    mounts = V2.replace(b"/sys/fs/cgroup", b"/mnt/a\\040b")
    assert folders("memory", b"0::/x\n", mounts)[0] == "/mnt/a b/x"


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_noise_is_no_group(groups: bytes, mounts: bytes) -> None:
    for noise in (groups, b"0::/" + groups):
        found = cgroups.group_of("cpu", noise, V2 + mounts)
        assert found is None or all(one.startswith("/sys/fs/cgroup") for one in found.folders)


def service_group(folder: Path, files: dict[str, str], version: int = 2) -> dict[str, float]:
    """What is read of /pod/web below `folder`."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    mounts = folder / "mountinfo"
    mounts.write_text(f"1 1 0:1 / {folder} rw - cgroup2 cgroup2 rw\n")
    group = cgroups.ControlGroup(1, str(mounts))
    group._cpu = group._memory = cgroups.Group(version, [f"{folder}/pod/web", f"{folder}/pod", str(folder)])
    values: dict[str, float] = group.read()
    group.close()
    return values


def test_the_tightest_limit_counts_with_what_is_used_of_it(tmp_path: Path) -> None:
    assert service_group(
        tmp_path,
        {
            "pod/web/cpu.max": "max 100000\n",
            "pod/cpu.max": "150000 100000\n",
            "pod/cpu.stat": "usage_usec 5\nnr_throttled 3\nthrottled_usec 2500000\n",
            "pod/web/memory.max": "1000000\n",
            "pod/web/memory.current": "900\n",
            "pod/web/memory.events": "low 0\noom 2\noom_kill 1\noom_group_kill 0\n",
            "pod/memory.max": "2000000\n",
            "pod/memory.current": "5000\n",
        },
    ) == {
        "cgroup_cpu_limit": 1.5,
        "cgroup_cpu_throttled": 2.5,
        "cgroup_memory_limit": 1000000,
        "cgroup_memory": 900,
        "cgroup_oom_kills": 1,
    }


def test_without_limits_the_service_itself_is_told(tmp_path: Path) -> None:
    assert service_group(
        tmp_path,
        {
            "pod/web/cpu.max": "max 100000\n",
            "pod/web/cpu.stat": "usage_usec 5\nthrottled_usec 0\n",
            "pod/web/memory.max": "max\n",
            "pod/web/memory.current": "900\n",
        },
    ) == {"cgroup_cpu_throttled": 0.0, "cgroup_memory": 900}


def test_version_1_has_other_names_and_units(tmp_path: Path) -> None:
    for name, text in {
        "cpu.cfs_quota_us": "50000\n",
        "cpu.cfs_period_us": "100000\n",
        "memory.limit_in_bytes": "9223372036854771712\n",
    }.items():
        (tmp_path / name).write_text(text)
    assert cgroups.cpu_limit(1, str(tmp_path)) == 0.5
    assert cgroups.memory_limit(1, str(tmp_path)) is None
    (tmp_path / "cpu.cfs_quota_us").write_text("-1\n")
    assert cgroups.cpu_limit(1, str(tmp_path)) is None


def test_version_1_counts_a_kill_in_the_own_group_whosever_limit_it_was(tmp_path: Path) -> None:
    files = {
        "pod/web/memory.limit_in_bytes": "9223372036854771712\n",
        "pod/web/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
        "pod/web/memory.usage_in_bytes": "900\n",
        "pod/memory.limit_in_bytes": "2000000\n",
        "pod/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n",
        "pod/memory.usage_in_bytes": "5000\n",
    }
    found = service_group(tmp_path, files, version=1)
    assert found["cgroup_oom_kills"] == 1
    assert (found["cgroup_memory_limit"], found["cgroup_memory"]) == (2000000, 5000)
