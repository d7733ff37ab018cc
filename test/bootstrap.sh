#!/bin/bash
# Runs FILE, a script of this project, on the project's own Node. Installs the npm dependencies first when they are
# not those of package-lock.json; with nothing to do that takes a tenth of a second.
# usage: bootstrap.sh FILE [ARGUMENT...]      needs: Linux, Node 20 or newer (for npm and the check)
set -euo pipefail

MILLRACE_STARTED_MS=${MILLRACE_STARTED_MS:-$(date +%s%3N)}
export MILLRACE_STARTED_MS
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() {
  local tenths=$((($(date +%s%3N) - MILLRACE_STARTED_MS) / 100))
  printf '[%4d.%d s] %s\n' $((tenths / 10)) $((tenths % 10)) "$1"
}

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

command -v node >/dev/null || fail 'Node.js is missing: install version 20 or newer. The project brings its own Node 24 along with the npm dependencies.'
command -v npm >/dev/null || fail 'npm is missing: it comes with Node.js, on Debian in the package npm.'

if ! node "$root/test/installed.mjs" check; then
  say 'Installing npm dependencies …'
  # Install scripts do not run: what they would make and the project needs is made by installed.mjs.
  (cd "$root" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  node "$root/test/installed.mjs" links
  say 'Installing npm dependencies: done'
fi

cd "$root"
export PATH="$root/node_modules/.bin:$PATH"
exec "$root/node_modules/.bin/node" "$@"
