#!/usr/bin/env bash
# Builds the fuzz targets and runs them one after the other: fuzz/run.sh [SECONDS [TARGET…]], 600 seconds each. The first finding ends it: the input
# is in fuzz/artifacts, and the target run with that file shows it again.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-600}
targets=("${@:2}")
[ ${#targets[@]} -gt 0 ] || targets=(parse plan decode pgwire)
target_dir=${CARGO_TARGET_DIR:-target}

echo '[fuzz] cargo build (only our own crates are compiled anew)' >&2
RUSTC_WORKSPACE_WRAPPER=$PWD/fuzz/rustc.sh cargo build --release --locked --workspace --features chimera-fuzz/fuzz "${targets[@]/#/--bin=}"

# The queries of the corpus of tests, one a file; programs and records are those of the pipelines.
mkdir -p fuzz/corpus/{parse,plan,decode,pgwire}
awk 'BEGIN { RS = "" } /^query/ { sub(/^[^\n]*\n/, ""); sub(/\n----.*/, ""); print > sprintf("fuzz/corpus/plan/seed-%04d", ++n) }' sql/tests/slt/*.slt
for statement in 'SELECT * FROM stock.levels' 'EXPLAIN SELECT 1' 'BEGIN; DECLARE c CURSOR FOR SELECT 1; FETCH 1 FROM c' 'SHOW timezone'; do
    printf '\001%s' "$statement" >"fuzz/corpus/pgwire/seed-$(echo "$statement" | md5sum | head -c 8)"
done

for target in "${targets[@]}"; do
    echo "[fuzz] $target, for $seconds s" >&2
    mkdir -p "fuzz/artifacts/$target"
    "$target_dir/release/$target" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -max_len=4096 -print_final_stats=1 -verbosity=0 \
        -dict=fuzz/sql.dict -artifact_prefix="fuzz/artifacts/$target/" "fuzz/corpus/$target" pipelines
done
