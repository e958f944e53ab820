# Makes the agent's folder on a server: new, 0700, on a file system that runs programs and has room.
# Read by `sh -s -- MARK NEEDED_KB`; every line of the answer starts with MARK.
mark=$1
needed=$2
umask 077

say() { printf '%s %s=%s\n' "$mark" "$1" "$2"; }

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
        say folder "$folder"
        break
    fi
    rm -rf "$folder"
done
say end ok
