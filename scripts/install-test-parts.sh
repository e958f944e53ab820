#!/bin/sh
# Installs what the tests use, where that is possible: as root on Debian or a relative. Elsewhere the tests that need
# a missing part are skipped by name.
set -eu
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || exit 0
wanted=""
[ -x /usr/sbin/sshd ] || wanted="$wanted openssh-server"
command -v sudo >/dev/null 2>&1 || wanted="$wanted sudo"
command -v ip >/dev/null 2>&1 || wanted="$wanted iproute2"
command -v chromium >/dev/null 2>&1 || wanted="$wanted chromium"
[ -x /usr/sbin/nginx ] || wanted="$wanted nginx-light"
[ -n "$wanted" ] || exit 0
echo "Installing for the tests:$wanted"
export DEBIAN_FRONTEND=noninteractive
# Another apt may be at work: wait for it rather than fail.
lock="-o DPkg::Lock::Timeout=600"
# shellcheck disable=SC2086 # two words
apt-get $lock update -qq
# shellcheck disable=SC2086 # one word a package
apt-get $lock install -y -qq --no-install-recommends $wanted >/dev/null
