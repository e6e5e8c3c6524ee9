#!/bin/sh
# Makes fixtures/recordings: runs of `pgrehearse advise` on the sample workloads at scale 1, with a throwaway PostgreSQL 15. Statistics come
# from a random sample, so costs differ a little from run to run, and snapshots of tests with them.
#
#   scripts/make-recordings.sh [DIRECTORY]
#
# PGBIN is the directory of the server's programs, PGREHEARSE the program (default: target/release/pgrehearse, built if it is missing).
set -eu
cd "$(dirname "$0")/.."
target=${1:-fixtures/recordings}
bin=${PGBIN:-/usr/lib/postgresql/15/bin}
program=${PGREHEARSE:-target/release/pgrehearse}
[ -x "$program" ] || cargo build --release --locked
base=$(mktemp -d /tmp/pgrehearse-recordings.XXXXXX)
as_postgres() { if [ "$(id -u)" = 0 ]; then (cd /tmp && runuser -u postgres -- "$@"); else "$@"; fi; }
stop() { as_postgres "$bin/pg_ctl" -D "$base/data" -m immediate -w stop >/dev/null 2>&1 || true; rm -rf "$base"; }
trap stop EXIT INT TERM
[ "$(id -u)" != 0 ] || chown postgres "$base"
as_postgres "$bin/initdb" -D "$base/data" -U postgres -A trust --no-sync -E UTF8 --locale=C >/dev/null
as_postgres "$bin/pg_ctl" -D "$base/data" -w -l "$base/log" start >/dev/null \
    -o "-c listen_addresses='' -c unix_socket_directories=$base -c fsync=off"

run() { "$bin/psql" -h "$base" -U postgres -X -q -v ON_ERROR_STOP=1 "$@" >/dev/null; }
run -d postgres -c 'CREATE DATABASE sample'
for system in fixtures/workloads/0*/; do
    [ -e "$system/schema.sql" ] || continue
    run -d sample -c 'SET pgrehearse.scale = 1' -f "$system/schema.sql" -f "$system/data.sql" -f "$system/finish.sql"
done

record() { # SAMPLE FILE OPTION…
    sample=$1 file=$2
    shift 2
    "$program" advise -q -h "$base" -U postgres -d sample -f "fixtures/workloads/$sample/workload.sql" --pg-bin "$bin" \
        --record "$target/$file" "$@" >/dev/null
    echo "make-recordings: $target/$file" >&2
}
for system in fixtures/workloads/0*/; do
    [ -e "$system/schema.sql" ] || continue
    sample=$(basename "$system")
    record "$sample" "$sample-twin.json"
done
record 002-table-sync 002-table-sync.json --rehearse=transaction
