"""Which host keys are let pass, and whether the commands that the refusals give really mend it."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.integration.transports.conftest import host_block, host_public
from toolkit.demo.ssh_files import make_key
from toolkit.errors import NotPermittedError
from toolkit.transports.registry import open_transport

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from toolkit.demo.sshd import SshServer
    from toolkit.transports.base import ConnectOptions

    Configure = Callable[..., ConnectOptions]

pytestmark = pytest.mark.needs_sshd


def another_key(folder: Path) -> str:
    return " ".join(make_key(folder / "another", "x").split()[:2])


def connects(options: ConnectOptions) -> bool:
    transport = open_transport("ssh://service", options)
    try:
        return transport.run(["echo", "in"]).stdout == b"in\n"
    finally:
        transport.close()


def ssh_connects(options: ConnectOptions) -> bool:
    """Whether ssh itself gets in."""
    argv = ["ssh", "-F", str(options.config_path), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
    return subprocess.run([*argv, "service", "true"], capture_output=True, timeout=20).returncode == 0


def refusal(options: ConnectOptions) -> NotPermittedError:
    with pytest.raises(NotPermittedError) as caught:
        open_transport("ssh://service", options)
    assert caught.value.exit_code == 77
    return caught.value


def do_as_told(error: NotPermittedError) -> None:
    """Run the commands that stand after the last "Then …:" of the hint."""
    command = error.hint.partition(" Then")[2].partition(": ")[2]
    subprocess.run(["/bin/sh", "-c", command], check=True, capture_output=True, timeout=20)


def fingerprint_by_openssh(server: SshServer) -> str:
    done = subprocess.run(
        ["ssh-keygen", "-lf", str(server.folder / "host_key.pub")], capture_output=True, check=True
    )
    return done.stdout.decode().split()[1]


def test_an_unknown_key_is_refused_and_the_given_command_mends_it(
    openssh: SshServer, configure: Configure
) -> None:
    options = configure(host_block(openssh))
    error = refusal(options)
    assert f"ssh://{openssh.user}@127.0.0.1:{openssh.port}" in error.message
    assert "not in known_hosts" in error.message
    assert fingerprint_by_openssh(openssh) in error.message
    assert f"ssh-keyscan -p {openssh.port} 127.0.0.1 >> " in error.hint
    assert "fingerprint" in error.hint
    do_as_told(error)
    assert connects(options)


def test_a_changed_key_is_refused_and_the_given_commands_mend_it(
    openssh: SshServer, configure: Configure, tmp_path: Path
) -> None:
    name = f"[127.0.0.1]:{openssh.port}"
    options = configure(host_block(openssh), known_hosts=f"# mine\n{name} {another_key(tmp_path)}\n")
    error = refusal(options)
    assert "has changed" in error.message
    assert "known_hosts line 2" in error.message
    assert f"ssh-keygen -R '{name}' -f " in error.hint
    do_as_told(error)
    assert connects(options)


def test_a_changed_key_under_a_pattern_is_mended_too(
    openssh: SshServer, configure: Configure, tmp_path: Path
) -> None:
    """ssh-keygen -R does not remove patterns."""
    options = configure(host_block(openssh), known_hosts=f"[127.0.0.*]:* {another_key(tmp_path)}\n")
    do_as_told(refusal(options))
    assert connects(options)


@pytest.mark.parametrize(
    "name", ["[127.0.0.*]:{port}", "*", "other,[127.0.0.1]:{port}", "127.0.0.1", "[127.0.0.?]:*"]
)
def test_names_and_patterns_that_ssh_takes(openssh: SshServer, configure: Configure, name: str) -> None:
    line = f"{name.format(port=openssh.port)} {host_public(openssh)} a comment\n"
    assert connects(configure(host_block(openssh), known_hosts=line))


@pytest.mark.parametrize(
    "name", ["[127.0.0.*]:*,![127.0.0.1]:{port}", "[127.0.0.2]:{port}", "[127.0.0.1]:1", "127.0.0.2"]
)
def test_names_and_patterns_that_do_not_fit(openssh: SshServer, configure: Configure, name: str) -> None:
    line = f"{name.format(port=openssh.port)} {host_public(openssh)}\n"
    assert "not in known_hosts" in refusal(configure(host_block(openssh), known_hosts=line)).message


def test_hashed_names(openssh: SshServer, configure: Configure, own_home: Path) -> None:
    options = configure(
        host_block(openssh), known_hosts=f"[127.0.0.1]:{openssh.port} {host_public(openssh)}\n"
    )
    known = own_home / ".ssh" / "known_hosts"
    subprocess.run(["ssh-keygen", "-H", "-f", str(known)], check=True, capture_output=True)
    assert known.read_text().startswith("|1|")
    assert connects(options)


def test_a_revoked_key_is_refused_even_where_it_is_known(openssh: SshServer, configure: Configure) -> None:
    name, key = f"[127.0.0.1]:{openssh.port}", host_public(openssh)
    error = refusal(configure(host_block(openssh), known_hosts=f"{name} {key}\n@revoked * {key}\n"))
    assert "revoked" in error.message
    assert "line 2" in error.message
    assert "Do not connect" in error.hint


@pytest.mark.parametrize("form", ["text", "krl"])
def test_a_key_in_revoked_host_keys_is_refused_as_ssh_does(
    openssh: SshServer, configure: Configure, tmp_path: Path, form: str
) -> None:
    """Known under its name, and yet revoked: in a text, and in a list that ssh-keygen made."""
    known = f"[127.0.0.1]:{openssh.port} {host_public(openssh)}\n"
    public, mine, others = tmp_path / "host.pub", tmp_path / "mine", tmp_path / "others"
    for path, key in ((mine, host_public(openssh)), (others, another_key(tmp_path))):
        if form == "text":
            path.write_text(f"# revoked\n{key} a comment\n")
        else:
            public.write_text(f"{key}\n")
            subprocess.run(["ssh-keygen", "-k", "-f", path, public], check=True, capture_output=True)
    assert connects(configure(host_block(openssh, f"RevokedHostKeys {others}"), known_hosts=known))
    options = configure(host_block(openssh, f"RevokedHostKeys {mine}"), known_hosts=known)
    assert not ssh_connects(options)
    error = refusal(options)
    assert "which is revoked" in error.message
    assert f"{mine} line 2" in error.message if form == "text" else str(mine) in error.message
    assert "Do not connect" in error.hint


@pytest.mark.parametrize("text", [None, "what is this\n"])
def test_a_revoked_list_that_cannot_be_read_lets_nobody_in(
    openssh: SshServer, configure: Configure, tmp_path: Path, text: str | None
) -> None:
    listed = tmp_path / "revoked"
    if text is not None:
        listed.write_text(text)
    known = f"[127.0.0.1]:{openssh.port} {host_public(openssh)}\n"
    options = configure(host_block(openssh, f"RevokedHostKeys {listed}"), known_hosts=known)
    assert not ssh_connects(options)
    error = refusal(options)
    assert str(listed) in error.message
    assert "RevokedHostKeys" in error.hint


def test_where_the_configuration_keeps_no_keys_the_cure_does(
    openssh: SshServer, configure: Configure, own_home: Path
) -> None:
    options = configure(host_block(openssh, "UserKnownHostsFile /dev/null", "StrictHostKeyChecking no"))
    error = refusal(options)
    assert "/dev/null" not in error.hint.partition("Then: ")[2]
    kept = own_home / ".ssh" / "known_hosts"
    assert "ssh: {known_hosts: ~/.ssh/known_hosts}" in error.hint
    do_as_told(error)
    assert str(openssh.port) in kept.read_text()
    assert connects(type(options)(config_path=options.config_path, known_hosts=(kept,)))


def test_markers_for_others_do_not_matter(openssh: SshServer, configure: Configure, tmp_path: Path) -> None:
    """For paramiko alone, one such line makes the whole file unreadable."""
    other = another_key(tmp_path)
    known = f"@revoked * {other}\n@cert-authority *.example.org {other}\n[127.0.0.1]:{openssh.port} {host_public(openssh)}\n"
    assert connects(configure(host_block(openssh), known_hosts=known))


def test_a_certificate_authority_alone_is_told_and_mended(
    openssh: SshServer, configure: Configure, tmp_path: Path
) -> None:
    options = configure(
        host_block(openssh), known_hosts=f"@cert-authority [127.0.0.1]:* {another_key(tmp_path)}\n"
    )
    error = refusal(options)
    assert "@cert-authority" in error.message
    assert "no host certificates" in error.message
    do_as_told(error)
    assert connects(options)


def test_a_key_of_another_type_is_told(openssh: SshServer, configure: Configure) -> None:
    rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDN"
    options = configure(host_block(openssh), known_hosts=f"[127.0.0.1]:{openssh.port} {rsa}AAAA\n")
    error = refusal(options)
    assert "only keys of other types" in error.message
    do_as_told(error)
    assert connects(options)


def test_another_name_for_the_key(openssh: SshServer, configure: Configure) -> None:
    block = host_block(openssh, "HostKeyAlias cluster")
    assert connects(configure(block, known_hosts=f"cluster {host_public(openssh)}\n"))
    options = configure(block, known_hosts=f"[127.0.0.1]:{openssh.port} {host_public(openssh)}\n")
    error = refusal(options)  # under another name only the other name counts
    do_as_told(error)
    assert connects(options)


def test_the_systems_file_is_read_too(openssh: SshServer, configure: Configure, tmp_path: Path) -> None:
    system = tmp_path / "ssh_known_hosts"
    system.write_text(f"[127.0.0.1]:{openssh.port} {host_public(openssh)}\n")
    assert connects(configure(host_block(openssh, f"GlobalKnownHostsFile /nowhere {system}")))


def test_a_file_with_a_space_in_its_name(openssh: SshServer, configure: Configure, tmp_path: Path) -> None:
    known = tmp_path / "known hosts"
    options = configure(host_block(openssh, f'UserKnownHostsFile "{known}" /nowhere'))
    do_as_told(refusal(options))
    assert str(openssh.port) in known.read_text()
    assert connects(options)


def test_a_policy_that_would_let_it_pass_is_not_followed(openssh: SshServer, configure: Configure) -> None:
    error = refusal(configure(host_block(openssh, "StrictHostKeyChecking no")))
    assert "StrictHostKeyChecking no is not followed" in error.message


def test_the_folder_of_the_file_is_made_by_the_command(
    openssh: SshServer, configure: Configure, own_home: Path
) -> None:
    options = configure(host_block(openssh, f"UserKnownHostsFile {own_home}/new/known_hosts"))
    do_as_told(refusal(options))
    assert connects(options)


def test_known_hosts_that_are_given_replace_the_configured(openssh: SshServer, configure: Configure) -> None:
    options = configure(host_block(openssh))
    given = type(options)(config_path=options.config_path, known_hosts=(openssh.known_hosts,))
    assert connects(given)


def test_nothing_is_sent_to_a_host_whose_key_is_unknown(openssh: SshServer, configure: Configure) -> None:
    before = openssh.log.read_text()
    refusal(configure(host_block(openssh)))
    assert "Accepted" not in openssh.log.read_text()[len(before) :]


def test_openssh_itself_agrees(openssh: SshServer, configure: Configure) -> None:
    """The lines above are judged as ssh judges them."""
    if shutil.which("ssh") is None:
        pytest.skip("ssh is not installed")
    for name, taken in {
        "[127.0.0.*]:*": True,
        "127.0.0.1": True,
        "[127.0.0.*]:*,![127.0.0.1]:*": False,
        "127.0.0.2": False,
    }.items():
        options = configure(host_block(openssh), known_hosts=f"{name} {host_public(openssh)}\n")
        assert ssh_connects(options) == taken, name
