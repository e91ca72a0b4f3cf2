#!/usr/bin/env bash
# Measures what the models and the search are worth, and writes docs/quality.md. Usage: run.sh TARGET-FOLDER
set -euo pipefail
cd "$(dirname "$0")/../.."
target=$1
data=${CHIMERA_DATA:-$PWD/../shared/data}
page=$(mktemp)
{
    echo "# Quality"
    echo
    echo "Written by \`make quality\` on $(date +%F), on $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1) ($(nproc) cores)."
    echo
    echo "## Picture search"
    echo
    if [ -d "$data/grocery" ]; then "$target/release/examples/measure" "$data/grocery"; else "$target/release/examples/measure"; fi
    echo
    echo "## Search"
    echo
    if [ -d "$data/icecat" ]; then
        echo "Icecat's catalogue of 19,406 products and its graded queries; products without a grade count as 0 in \`all\`. Plain BM25 is computed in the same run."
        echo
        echo '```'
        cargo test --release --locked --workspace --test it relevance -- --nocapture 2>&1 | grep -E "nDCG|plain BM25|the last word|search, "
        echo '```'
    else
        echo "Not measured: no icecat folder in CHIMERA_DATA."
    fi
} >"$page"
mv "$page" docs/quality.md
chmod 644 docs/quality.md
cat docs/quality.md
