#!/usr/bin/env bash
# Times of rows of different length beside today's engine, from which the shortest row with noise from the top down was
# chosen. Takes some ten minutes; needs `cargo build --release` before.
#
#   row_lengths.sh [SAMPLES]
set -euo pipefail
cd "$(dirname "$0")"
bench=${CARGO_TARGET_DIR-target}/release/bench
for kind in 3 0 5; do
    for n in 256 512 1024 2048 3000 4096 4097 5000 8192 8193 16384 32768; do
        SAMPLES=${1-25} taskset --cpu-list 1 "$bench" rows $((2097152 / n)) "$n" "$kind"
    done
done
