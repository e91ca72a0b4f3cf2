#!/usr/bin/env bash
# Starts a platform with the sample shop in a temporary folder and drives its pages in headless Chromium.
# Usage: run.sh CHIMERA-BINARY [FOLDER FOR SCREENSHOTS]
set -euo pipefail
chimera=$1
shots=${2:-$(mktemp -d)}
root=$(cd "$(dirname "$0")/../.." && pwd)
home=$(mktemp -d)
# As root the servers run as users of their own, who must be able to enter.
chmod 755 "$home"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

browser=""
for name in chromium chromium-browser google-chrome; do
    browser=$(command -v "$name") && break
done
if [ -z "$browser" ]; then
    echo "skipped: pages in a browser: no Chromium; apt-get install chromium"
    exit 0
fi

"$chimera" up --data-dir "$home" --listen "127.0.0.1:$port" >"$home/up.log" 2>&1 &
pid=$!
end() {
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    "$chimera" down --data-dir "$home" >/dev/null 2>&1 || true
    rm -rf "$home"
}
trap end EXIT
for _ in $(seq 240); do
    curl -fsS "http://127.0.0.1:$port/readyz" >/dev/null 2>&1 && break
    kill -0 "$pid" 2>/dev/null || { cat "$home/up.log"; exit 1; }
    sleep 0.5
done
cd "$root/serving/web"
[ -d node_modules ] || npm ci --no-audit --no-fund --silent
if ! npm run --silent e2e -- --base "http://127.0.0.1:$port" --token "$(cat "$home/operator.token")" --shots "$shots"; then
    tail -50 "$home/up.log"
    exit 1
fi
