# One container: a root of its own with nothing in it but the "image" (this machine's Python and the toolkit's environment) and
# the volumes, read-only where it is asked for, a user without rights. Read by `sh -c` in new mount and PID namespaces.
# ROOT: an empty folder. BINDS: lines `FROM TO ro|rw`. IDS: USER GROUP. READONLY: 1 or 0. WORKDIR. Then the command.
set -eu
umask 022 # whatever the test run has: an image is readable for its user
mount -t tmpfs -o mode=755 tmpfs "$ROOT"
for path in usr lib lib64 bin sbin etc; do
    [ -e "/$path" ] || continue
    if [ -L "/$path" ]; then
        ln -s "$(readlink "/$path")" "$ROOT/$path"
    else
        mkdir "$ROOT/$path"
        mount --rbind "/$path" "$ROOT/$path"
    fi
done
mkdir "$ROOT/proc" "$ROOT/dev" "$ROOT/tmp"
mount -t proc proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
echo "$BINDS" | while read -r from to how; do
    [ -n "$from" ] || continue
    if [ -d "$from" ]; then mkdir -p "$ROOT$to"; fi
    mount --bind "$from" "$ROOT$to"
    if [ "$how" = ro ]; then mount -o remount,bind,ro "$ROOT$to"; fi
done
if [ "$READONLY" = 1 ]; then mount -o remount,ro "$ROOT"; fi
exec chroot "$ROOT" /usr/bin/setpriv --reuid "${IDS% *}" --regid "${IDS#* }" --clear-groups --no-new-privs --bounding-set=-all \
    --inh-caps=-all /bin/sh -c 'cd "$0" && exec "$@"' "$WORKDIR" "$@"
