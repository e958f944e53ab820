#!/bin/sh
# Prepares a server, once, by its administrator: lets one user profile gunicorn as root, and do nothing else as root.
#
#   sh prepare-server.sh --user NAME [--python PATH] [--dry-run]
#   sh prepare-server.sh --uninstall [--dry-run]
#
# Installs the files beside it into /usr/local/lib/gunicorn-toolkit, owned by root, and a sudo rule for exactly one command.
# Running it again brings both up to date; users that were allowed before stay allowed. `python -m toolkit prepare` makes the files.
set -eu
umask 022
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export PATH
LC_ALL=C
export LC_ALL

target=/usr/local/lib/gunicorn-toolkit
rule=/etc/sudoers.d/gunicorn-toolkit
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
user='' python='' remove=no dry=no work='' draft=''

fail() {
    printf 'prepare-server.sh: %s\n' "$*" >&2
    exit 1
}

# Says what is done; does it unless this is a dry run.
act() {
    printf '%s\n' "$*"
    [ "$dry" = yes ] || "$@"
}

usage() {
    printf 'usage: sh prepare-server.sh --user NAME [--python PATH] [--dry-run]\n' >&2
    printf '       sh prepare-server.sh --uninstall [--dry-run]\n' >&2
    exit 2
}

tidy() {
    [ -z "$work" ] || rm -rf -- "$work"
    [ -z "$draft" ] || rm -f -- "$draft"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# Only root may be able to change $1, and everything on the way to it: it will run as root.
must_be_roots() {
    [ -e "$1" ] || fail "$1 does not exist"
    path=$(readlink -f -- "$1")
    while :; do
        # Mode and owner, as "drwxr-xr-x 0".
        about=$(ls -ldn -- "$path" | awk '{print $1, $3}')
        case $about in
        *' 0') ;;
        *) fail "$path is not owned by root, so a rule for $1 would give its owner root's rights; name another with --python" ;;
        esac
        case $about in
        ?????w*) [ "$(ls -ldn -- "$path" | awk '{print $4}')" = 0 ] ||
            fail "$path may be written by a group, so a rule for $1 would give it root's rights; chmod g-w $path first" ;;
        esac
        case $about in
        ????????w[!tT]*) fail "$path may be written by everybody" ;;
        esac
        [ "$path" != / ] || break
        path=$(dirname -- "$path")
    done
}

check_kit() {
    for file in agent.pyz py-spy version lib/psutil/__init__.py; do
        [ -f "$here/$file" ] || fail "$here/$file is missing; make the files with: python -m toolkit prepare --out DIR"
    done
    made_for=$(sed -n 's/^machine=//p' "$here/version")
    [ "$made_for" = "$(uname -m)" ] ||
        fail "these files are for $made_for, this server is $(uname -m); make them with: python -m toolkit prepare --machine $(uname -m)"
}

check_user() {
    case $user in
    '' | *[!A-Za-z0-9_.-]* | -*) fail "'$user' is no user name that a sudo rule can hold safely" ;;
    esac
    id -u -- "$user" >/dev/null 2>&1 || fail "there is no user $user"
}

find_python() {
    if [ -z "$python" ]; then
        for candidate in /usr/bin/python3 "$(command -v python3 || true)"; do
            [ ! -x "$candidate" ] || { python=$candidate && break; }
        done
    fi
    case $python in
    /*[!A-Za-z0-9_./+-]*) fail "$python has characters that a sudo rule must not hold" ;;
    /*) ;;
    *) fail "no Python was found; name one with --python /path/to/python3" ;;
    esac
    must_be_roots "$python"
    "$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 7))' || fail "$python is older than Python 3.7"
    "$python" -I -c 'import sys; sys.dont_write_bytecode = True; sys.path.append(sys.argv[1]); import psutil' "$here/lib" ||
        fail "$python cannot load the psutil in $here/lib; was it made for the other C library? (python -m toolkit prepare --libc)"
}

install_files() {
    must_be_roots "$(dirname -- "$target")"
    if [ "$dry" = yes ]; then
        printf 'install agent.pyz py-spy lib/psutil version into %s (root, 0755)\n' "$target"
        return
    fi
    # Whole or not at all: filled beside its place, then renamed.
    work=$(mktemp -d "$target.XXXXXXXX")
    mkdir -m 0755 -- "$work/new" "$work/new/lib" "$work/new/lib/psutil"
    cp -- "$here/agent.pyz" "$here/py-spy" "$work/new/"
    cp -- "$here"/lib/psutil/*.py "$here"/lib/psutil/*.so "$work/new/lib/psutil/"
    grep -v '^python=' "$here/version" >"$work/new/version"
    printf 'python=%s\n' "$python" >>"$work/new/version"
    chown -R 0:0 "$work/new"
    chmod 0644 "$work/new/agent.pyz" "$work/new/version" "$work/new"/lib/psutil/*
    chmod 0755 "$work/new/py-spy"
    "$work/new/py-spy" --version >/dev/null || fail "py-spy does not run in $work"
    [ ! -e "$target" ] || mv -- "$target" "$work/old"
    mv -- "$work/new" "$target"
    rm -rf -- "$work"
    work=''
    printf 'installed %s (py-spy %s, protocol %s)\n' "$target" "$(sed -n 's/^pyspy=//p' "$target/version")" \
        "$(sed -n 's/^protocol=//p' "$target/version")"
}

# Users that have the rule already, and the new one.
allowed_users() {
    { [ ! -f "$rule" ] || sed -n 's/^\([A-Za-z0-9_.-]*\) ALL=(root) .*/\1/p' "$rule"; printf '%s\n' "$user"; } | sort -u
}

write_rule() {
    printf '# Written by prepare-server.sh of the gunicorn toolkit; sudoers.example beside it explains each line.\n'
    printf 'Cmnd_Alias GUNICORN_TOOLKIT = %s -u -I %s/agent.pyz\n' "$python" "$target"
    printf 'Defaults!GUNICORN_TOOLKIT env_reset, !setenv, !requiretty\n'
    allowed_users | while IFS= read -r name; do printf '%s ALL=(root) NOPASSWD: GUNICORN_TOOLKIT\n' "$name"; done
}

install_rule() {
    command -v visudo >/dev/null 2>&1 || fail "there is no visudo here, so there is no sudo to prepare"
    if [ "$dry" = yes ]; then
        printf 'write %s (root, 0440), checked by visudo:\n' "$rule"
        write_rule | sed 's/^/    /'
        return
    fi
    [ -d "$(dirname -- "$rule")" ] || fail "$(dirname -- "$rule") does not exist; add the rule in sudoers.example with visudo"
    # sudo passes over names with a dot: a draft is never in force.
    draft=$(mktemp "$rule.XXXXXXXX")
    write_rule >"$draft"
    chown 0:0 "$draft"
    chmod 0440 "$draft"
    visudo -cqf "$draft" || fail "visudo refuses the rule; nothing was changed"
    mv -f -- "$draft" "$rule"
    draft=''
    sudo -n -l -U "$user" "$python" -u -I "$target/agent.pyz" >/dev/null 2>&1 ||
        fail "$rule is written, but sudo does not heed it: does /etc/sudoers include $(dirname -- "$rule")?"
    printf '%s may now run as root, without a password: %s -u -I %s/agent.pyz\n' "$user" "$python" "$target"
}

while [ $# -gt 0 ]; do
    case $1 in
    --user) [ $# -ge 2 ] || usage; user=$2; shift ;;
    --python) [ $# -ge 2 ] || usage; python=$2; shift ;;
    --uninstall) remove=yes ;;
    --dry-run) dry=yes ;;
    *) usage ;;
    esac
    shift
done

[ "$dry" = yes ] || [ "$(id -u)" = 0 ] || fail "this needs root: sudo sh $0 ..."

if [ "$remove" = yes ]; then
    act rm -f -- "$rule"
    act rm -rf -- "$target"
    exit 0
fi
[ -n "$user" ] || usage
check_kit
check_user
find_python
install_files
install_rule
