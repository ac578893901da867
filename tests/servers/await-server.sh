# Sourced by the scripts that start a server with Node. `await_server URL TEST` returns once the
# reply to a GET of the URL passes TEST, a JavaScript function of the reply; after half a minute it
# prints the server's log and ends the script.
await_server() {
  tries=0
  until node -e "fetch(process.argv[1]).then((reply) => process.exit(($2)(reply) ? 0 : 1), () => process.exit(1))" "$1"; do
    tries=$((tries + 1))
    [ $tries -lt 60 ] || { cat server.log; exit 1; }
    sleep 0.5
  done
}
