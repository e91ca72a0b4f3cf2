#!/bin/sh
# Compiles the crates that inputs go through with what libFuzzer needs to see which way one went; everything else as ever, so that it need not be
# compiled anew. Cargo calls it for the members of the workspace: RUSTC_WORKSPACE_WRAPPER.
seen='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Coverflow-checks=on'
case " $* " in
    *" --crate-name chimera_udf "* | *" --crate-name build_script_"*) exec "$@" ;;
    # rust-embed takes these assertions for a sign that pages are read from the folder.
    *" --crate-name chimera_serving "*) exec "$@" $seen ;;
    *) exec "$@" $seen -Cdebug-assertions=on ;;
esac
