#!/bin/sh
# Serves Azure's own scenarios for SDK generators (azure-http-specs) on 127.0.0.1, for `cargo test -p lro-tests --test spector`.
# Prints the URL once the server answers.
# usage: spector.sh FOLDER [PORT]   FOLDER is any scratch folder; stop the server with: kill "$(cat FOLDER/server.pid)"
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/await-server.sh"
folder=$1
port=${2:-3001}

mkdir -p "$folder"
cd "$folder"
[ -d node_modules/@typespec/spector ] || npm install --ignore-scripts --no-audit --no-fund \
  @azure-tools/azure-http-specs@0.1.0-alpha.38-dev.2 @typespec/spector@0.1.0-alpha.24-dev.2
# The server does not start outside of a git repository with a commit.
[ -d .git ] || { git init -q . && git -c user.name=spec -c user.email=spec@localhost commit -q --allow-empty -m spec; }

# bind-loopback.cjs keeps the server from listening on all interfaces.
node -r "$here/bind-loopback.cjs" node_modules/@typespec/spector/cmd/cli.mjs serve \
  ./node_modules/@azure-tools/azure-http-specs/specs --port "$port" --coverageFile "$PWD/coverage.json" >server.log 2>&1 &
echo $! >server.pid

await_server "http://127.0.0.1:$port/.coverage" '(reply) => reply.ok'
echo "http://127.0.0.1:$port"
