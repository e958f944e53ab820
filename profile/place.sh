# Says what a server has: a Python that can run the agent, the machine, the C library, psutil, a prepared copy. Then makes the
# agent's folder: new, 0700, on a file system that runs programs and has room.
# Read by `sh -s -- MARK PYTHON NEEDED_KB PROTOCOL`: no folder is made where a prepared copy speaks PROTOCOL. Every line of the answer starts with MARK, because a shell profile may talk too.
mark=$1
wanted=$2
needed=$3
protocol=$4
fit=
kept=
made=
# Who asked may be gone when this comes to the folder: it must not die of that, but take the folder away again.
trap '' PIPE
kit=/usr/local/lib/gunicorn-toolkit

say() { printf '%s %s=%s\n' "$mark" "$1" "$2"; }

# The C library and the word size are those of the Python, not of the kernel: psutil is loaded into it.
probe='
import importlib.util, os, struct, sys, sysconfig
version = sys.version_info[:3]
print("python_version=%d.%d.%d" % version)
print("python=" + (sys.executable or ""))
print("magic=" + importlib.util.MAGIC_NUMBER.hex())
if version < (3, 7):
    print("unfit=it is older than 3.7")
if struct.calcsize("P") != 8:
    print("unfit=it is a 32-bit build")
try:
    libc = (os.confstr("CS_GNU_LIBC_VERSION") or "").split(" ")[0]
except (ValueError, OSError):
    libc = ""
if not libc and any(name.startswith("ld-musl-") for name in os.listdir("/lib")):
    libc = "musl"
print("libc=" + libc)
print("free_threaded=%d" % bool(sysconfig.get_config_var("Py_GIL_DISABLED")))
try:
    import psutil
    print("psutil=" + psutil.__version__)
except Exception:
    pass
'

say machine "$(uname -m)"
say system "$(uname -s)"
say uid "$(id -u)"
say sudo "$(command -v sudo || true)"

for name in "$wanted" python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 python3.8 python3.7 \
    /usr/bin/python3 /usr/local/bin/python3 python; do
    answer=$("$name" -I -c "$probe" 2>/dev/null </dev/null) || continue
    case $answer in
    *unfit=*) say passed_over "$name: ${answer##*unfit=}" ;;
    python_version=*)
        printf '%s\n' "$answer" | while IFS= read -r line; do printf '%s %s\n' "$mark" "$line"; done
        fit=yes
        break
        ;;
    esac
done

if [ -r "$kit/version" ] && [ -r "$kit/agent.pyz" ] && [ -x "$kit/py-spy" ]; then
    while IFS= read -r line; do
        printf '%s kit_%s\n' "$mark" "$line"
        [ "$line" != "protocol=$protocol" ] || kept=yes
    done <"$kit/version"
    # Mode and owner of the folder and of what is executed from it: a copy that somebody else may write is not used.
    for file in "$kit" "$kit/agent.pyz" "$kit/py-spy" "$kit/lib"; do
        say kit_owner "$(ls -ldn "$file" | awk '{print $1, $3}')"
    done
fi

if [ -z "$fit" ] || [ -n "$kept" ] || [ "$(uname -s)" != Linux ]; then
    say end ok
    exit 0
fi
umask 077
for base in "${TMPDIR:-/tmp}" /var/tmp "$HOME"; do
    case $base in /*) ;; *) continue ;; esac
    folder=$(mktemp -d "${base%/}/toolkit.XXXXXXXX" 2>/dev/null) || {
        say refused "no-write $base"
        continue
    }
    free=$(df -Pk "$folder" 2>/dev/null | awk 'NR == 2 {print $4}')
    if [ -n "$free" ] && [ "$free" -lt "$needed" ]; then
        say refused "no-space $base"
    elif ! printf '#!/bin/sh\nexit 0\n' >"$folder/try" 2>/dev/null; then
        say refused "no-space $base"
    elif ! { chmod 700 "$folder/try" && "$folder/try"; } 2>/dev/null; then
        say refused "no-exec $base"
    else
        rm -f "$folder/try"
        made=$folder
        say folder "$folder"
        break
    fi
    rm -rf "$folder"
done
say end ok
# A line comes when the answer was heard; the end of the input without one means that nobody will ever know of the folder.
[ -z "$made" ] || IFS= read -r heard || rm -rf "$made"
