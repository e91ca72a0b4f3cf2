#!/usr/bin/env bash
# Sends the API what Schemathesis makes of its OpenAPI document: as nobody, as a shopper and as the operator.
# Usage: run.sh CHIMERA-BINARY [SECONDS EACH]
set -euo pipefail
chimera=$(realpath "$1")
config=$(dirname "$(realpath "$0")")/schemathesis.toml
seconds=${2:-120}
version=4.32.5
cache=${CHIMERA_CACHE:-$HOME/.cache/chimera}
say() { printf '[schemathesis] %s\n' "$*" >&2; }

tool="$cache/schemathesis-$version/bin/schemathesis"
if [ ! -x "$tool" ]; then
    say "installing Schemathesis $version into $cache"
    if ! { python3 -m venv "$cache/schemathesis-$version" && "$cache/schemathesis-$version/bin/pip" install --quiet "schemathesis==$version"; } >&2; then
        rm -rf "$cache/schemathesis-$version"
        echo "skipped: the API against made-up requests: Schemathesis cannot be installed"
        exit 0
    fi
fi

home=$(mktemp -d)
# As root the servers run as users of their own, who must be able to enter.
chmod 755 "$home"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$chimera" up --data-dir "$home" --listen "127.0.0.1:$port" >"$home/up.log" 2>&1 &
pid=$!
end() {
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    "$chimera" down --data-dir "$home" >/dev/null 2>&1 || true
    rm -rf "$home"
}
trap end EXIT
base="http://127.0.0.1:$port"
for _ in $(seq 600); do
    curl -fsS "$base/readyz" >/dev/null 2>&1 && break
    kill -0 "$pid" 2>/dev/null || { cat "$home/up.log"; exit 1; }
    sleep 0.5
done
shopper=$(curl -fsS "$base/api/v1/auth/register" -H 'content-type: application/json' \
    -d '{"email":"schemathesis@example.com","password":"correct horse battery"}' | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')

# Not called: what has no end (event streams); what ends the account that calls, or its session. Not checked: that whatever the document
# allows is taken, since a product that is not there, or a country without shipping, is refused with 404 or 422; nor that a header that lacks is
# answered 400, since If-Match that lacks is answered 428. By one worker: with several, Pythons before 3.11.8 and 3.12.2
# break off with a SystemError (python/cpython#106905), and fewer requests are made in the same time.
failed=0
for who in nobody shopper operator; do
    case $who in
        nobody) token=() ;;
        shopper) token=(--header "Authorization:Bearer $shopper") ;;
        operator) token=(--header "Authorization:Bearer $(cat "$home/operator.token")") ;;
    esac
    say "as $who, $seconds s"
    (cd "$home" && "$tool" --config-file "$config" run "$base/openapi.json" "${token[@]}" --max-time "$seconds" --workers 1 --checks all --exclude-checks positive_data_acceptance,missing_required_header \
        --exclude-path-regex '(/stream|/orders/.*/events|/cart/events|/ws)$' --exclude-path /api/v1/auth/logout --exclude-name 'DELETE /api/v1/users/me' \
        --suppress-health-check all --continue-on-failure --warnings off --request-timeout 30 --generation-database none --no-color) >"$home/$who.txt" 2>&1 || {
        failed=1
        cat "$home/$who.txt"
    }
    tail -5 "$home/$who.txt" >&2
done
grep -E 'ERROR|panicked' "$home/up.log" && failed=1
exit "$failed"
