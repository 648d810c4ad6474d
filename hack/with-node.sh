#!/bin/sh
# Runs a script on the Node of this project, and installs what is missing first.
# usage: sh hack/with-node.sh script.ts [argument...]
set -eu
cd "$(dirname "$0")/.."
stamp=node_modules/.installed
if ! cmp -s package-lock.json "$stamp"; then
  command -v npm >/dev/null || { echo 'npm is needed: install Node.js 20 or later (https://nodejs.org)' >&2; exit 69; }
  echo 'installing packages (once)' >&2
  # The machine's own Node may be older than "engines" asks for; the scripts run on node_modules/.bin/node.
  npm ci --loglevel=error --no-fund --no-audit >&2 </dev/null
  cp package-lock.json "$stamp"
fi
PATH=$PWD/node_modules/.bin:$PATH
export PATH
exec node "$@"
