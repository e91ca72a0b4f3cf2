#!/usr/bin/env bash
# Installs what this machine lacks to build, run or test Chimera on Debian or Ubuntu. Safe to run again: it only adds what is missing.
# Usage: setup.sh run | test
set -euo pipefail
purpose=${1:-run}
cache=${CHIMERA_CACHE:-$HOME/.cache/chimera}

say() { printf '\033[1m[set-up]\033[0m %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

packages=()
need() { packages+=("$1"); }
has cc || need build-essential
has g++ || need g++
has make || need make
has cmake || need cmake
has pkg-config || need pkg-config
has curl || need curl
has python3 || need python3
python3 -m pip --version >/dev/null 2>&1 || need python3-pip
has node || need nodejs
has npm || need npm
has redis-server || need redis-server
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || need postgresql
has rabbitmq-server || [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || need rabbitmq-server
has psql || need postgresql-client
if [ "$purpose" = test ]; then
    has java || need default-jre-headless
    has mvn || need maven
    has chromium || has chromium-browser || has google-chrome || need chromium
fi

if [ ${#packages[@]} -gt 0 ]; then
    sudo=""
    if [ "$(id -u)" != 0 ]; then
        has sudo || { say "missing: ${packages[*]}. Run as root: apt-get install ${packages[*]}"; exit 1; }
        sudo=sudo
    fi
    has apt-get || { say "missing: ${packages[*]}. This set-up knows apt-get only; install them with your system's tool."; exit 1; }
    say "installing with apt-get: ${packages[*]}"
    # Debian would start a PostgreSQL, a Redis and a RabbitMQ of its own; Chimera starts private ones.
    $sudo mkdir -p /etc/postgresql-common/createcluster.d
    echo 'create_main_cluster = false' | $sudo tee /etc/postgresql-common/createcluster.d/chimera.conf >/dev/null
    $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get update -qq
    $sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2
fi

if ! has cargo && [ -x "$HOME/.cargo/bin/cargo" ]; then
    export PATH="$HOME/.cargo/bin:$PATH"
fi
if ! has cargo; then
    say "installing Rust with rustup"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c rustfmt -c clippy
    export PATH="$HOME/.cargo/bin:$PATH"
fi
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$(dirname "$0")/../../Cargo.toml")
found=$(cargo --version | cut -d' ' -f2)
if [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -V | head -1)" != "$wanted" ]; then
    say "Rust $found is older than $wanted: run 'rustup update stable'"
    exit 1
fi

# ONNX Runtime, loaded when the program runs: the library inside the Python wheel, without Python around it.
if [ -z "${ORT_DYLIB_PATH:-}" ] && ! compgen -G "$cache/onnxruntime/onnxruntime/capi/libonnxruntime.so.1.*" >/dev/null; then
    say "installing ONNX Runtime into $cache/onnxruntime"
    python3 -m pip install --quiet --no-deps --upgrade --target "$cache/onnxruntime" onnxruntime==1.31.1 >&2 ||
        python3 -m pip install --quiet --no-deps --upgrade --break-system-packages --target "$cache/onnxruntime" onnxruntime==1.31.1 >&2
fi
say "everything is there"
