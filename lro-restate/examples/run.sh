#!/bin/sh
# Installs Restate's server, starts it and `examples/endpoint.rs`, registers the endpoint, and has three images exported. Everything
# is on loopback, and ends with this script. Needs Node and the Rust toolchain.
# usage: run.sh [FOLDER]   FOLDER keeps the installed server; by default a new one under /tmp
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$(mktemp -d)}
server=$(sh "$here/tests/install-server.sh" "$folder")
data=$(mktemp -d)
ingress=127.0.0.1:18080 admin=127.0.0.1:19070 endpoint=127.0.0.1:19080

(cd "$here" && cargo build --quiet --example endpoint)
trap 'kill $pids 2>/dev/null; wait 2>/dev/null; rm -rf "$data"' EXIT
RESTATE_LISTEN_MODE=tcp RESTATE_BIND_ADDRESS=127.0.0.1:15122 RESTATE_ADVERTISED_HOST=127.0.0.1 RESTATE_INGRESS__BIND_ADDRESS=$ingress \
RESTATE_ADMIN__BIND_ADDRESS=$admin RESTATE_DISABLE_TELEMETRY=true DO_NOT_TRACK=1 \
  "$server" --no-logo --node-name example --base-dir "$data" >"$data/server.log" 2>&1 &
pids=$!
"${CARGO_TARGET_DIR:-$here/target}/debug/examples/endpoint" $endpoint >"$data/endpoint.log" 2>&1 &
pids="$pids $!"

# Tries for a minute.
again() {
  tries=0
  until "$@" >"$data/answer" 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 120 ] || { cat "$data/answer" "$data/server.log"; exit 1; }
    sleep 0.5
  done
}
# Sends a request, with JSON if there is any, and prints the reply.
call() {
  node -e '
    const [url, body] = process.argv.slice(1);
    const sent = body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body };
    fetch(url, sent).then(async (reply) => {
      console.log(await reply.text());
      if (!reply.ok) process.exit(1);
    }, (error) => { console.error(String(error.cause ?? error)); process.exit(1); });
  ' "http://$1" ${2+"$2"}
}
again call "$ingress/restate/health"
again call "$admin/deployments" "{\"uri\": \"http://$endpoint\"}"
for image in cat dog elephant; do
  call "$ingress/Images/export" "\"$image\""
done
again sh -c "[ \$(grep -c Succeeded $data/endpoint.log) -eq 3 ]"
grep Succeeded "$data/endpoint.log"
