#!/bin/sh
# Builds the fuzz targets and runs all of them for a time, side by side.
#   tests/fuzz/run.sh SECONDS [BUILD-FOLDER]
# New inputs that reach new code are kept in BUILD-FOLDER/fuzz/TARGET, inputs that fail in
# BUILD-FOLDER/fuzz/TARGET-crashes. Fails when a target failed.
set -eu
seconds=${1:?usage: run.sh SECONDS [BUILD-FOLDER]}
here=$(cd "$(dirname "$0")" && pwd)
build=${2:-$here/../../build/fuzz}
targets="yaml ir_text plan passes weights formula"

cmake -S "$here/../.." -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DCMAKE_C_COMPILER="${CC:-clang}" -DCMAKE_CXX_COMPILER="${CXX:-clang++}" \
    -DREPRISE_FUZZ=ON -DREPRISE_EXAMPLES=OFF >/dev/null
cmake --build "$build" --target fuzz

pids=
for target in $targets; do
    found=$build/fuzz/$target
    crashes=$build/fuzz/$target-crashes
    mkdir -p "$found" "$crashes"
    case $target in
    yaml) words=-dict=$here/yaml.dict ;;
    ir_text | passes) words=-dict=$here/ir_text.dict ;;
    formula) words=-dict=$here/formula.dict ;;
    *) words= ;;
    esac
    "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=16384 -timeout=20 \
        -rss_limit_mb=3000 -artifact_prefix="$crashes/" -print_final_stats=1 $words \
        "$found" "$here/corpus/$target" >"$build/fuzz/$target.log" 2>&1 &
    pids="$pids $target:$!"
done

failed=0
for pair in $pids; do
    target=${pair%%:*}
    if wait "${pair##*:}"; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/fuzz/$target.log")
        echo "$target: clean after $seconds s, $runs inputs"
    else
        failed=1
        echo "$target: FAILED, see $build/fuzz/$target.log and $build/fuzz/$target-crashes/"
        tail -n 30 "$build/fuzz/$target.log"
    fi
done
exit $failed
