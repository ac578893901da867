#!/bin/sh
# Serves the test server of Azure's SDK generators (autorest.testserver) on 127.0.0.1, for `cargo test -p lro-tests --test autorest`.
# Prints the URL once the server answers.
# usage: autorest.sh FOLDER [PORT]   FOLDER is any scratch folder; stop the server with: kill "$(cat FOLDER/server.pid)"
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/await-server.sh"
folder=$1
port=${2:-3000}

mkdir -p "$folder"
cd "$folder"
[ -d node_modules/@microsoft.azure/autorest.testserver ] || npm install --ignore-scripts --no-audit --no-fund \
  @microsoft.azure/autorest.testserver@3.3.51

# bind-loopback.cjs keeps the server from listening on all interfaces.
node -r "$here/bind-loopback.cjs" node_modules/@microsoft.azure/autorest.testserver/dist/cli/cli.js run \
  --port "$port" --coverageDirectory "$PWD/coverage" >server.log 2>&1 &
echo $! >server.pid

# Any answer will do: the server has no page of its own.
await_server "http://127.0.0.1:$port/lro" '() => true'
echo "http://127.0.0.1:$port"
