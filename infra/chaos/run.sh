#!/usr/bin/env bash
# Plays the real shop's year while the platform is killed with SIGKILL at random moments, then recomputes every store and compares.
# Usage: run.sh CHIMERA-BINARY [KILLS, default 10] [INVOICES, default all]
set -euo pipefail
chimera=$1
kills=${2:-10}
limit=${3:-}
home=$(mktemp -d)
# As root the servers run as users of their own, who must be able to enter.
chmod 755 "$home"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export CHIMERA_HOME=$home CHIMERA_LISTEN=127.0.0.1:$port

say() { printf '[chaos] %s\n' "$*" >&2; }
start() {
    "$chimera" up --no-sample --no-notifications >>"$home/up.log" 2>&1 &
    pid=$!
    for _ in $(seq 240); do
        curl -fsS "http://$CHIMERA_LISTEN/healthz" >/dev/null 2>&1 && return
        kill -0 "$pid" 2>/dev/null || { tail -30 "$home/up.log"; exit 1; }
        sleep 0.5
    done
    say "the platform did not come up"; tail -30 "$home/up.log"; exit 1
}
end() {
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    "$chimera" down >/dev/null 2>&1 || true
    rm -rf "$home"
}
trap end EXIT

start
say "playing the year"
"$chimera" replay --speed max ${limit:+--limit "$limit"} >"$home/replay.log" 2>&1 &
replay=$!
for kill in $(seq "$kills"); do
    sleep "$(python3 -c 'import random; print(random.uniform(0.5, 4))')"
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null || true
    start
    say "kill $kill of $kills: back"
done
wait "$replay" || { cat "$home/replay.log"; exit 1; }
tail -3 "$home/replay.log" >&2
say "verifying every store"
"$chimera" verify
say "what the totals' store holds:"
curl -fsS -H "Authorization: Bearer $(cat "$home/operator.token")" "http://$CHIMERA_LISTEN/api/v1/views/sales.totals"
