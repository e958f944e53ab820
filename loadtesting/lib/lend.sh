# Makes a new 0700 folder and unpacks into it what comes on standard input (tar, gzip). Read by `sh -c`; says `toolkit-lent FOLDER`.
umask 077
folder=$(mktemp -d "${TMPDIR:-/tmp}/toolkit-worker.XXXXXXXX") || exit 73
tar -xzf - -C "$folder" || {
    rm -rf "$folder"
    exit 74
}
printf '\ntoolkit-lent %s\n' "$folder"
