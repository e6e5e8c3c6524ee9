#!/bin/sh
# Makes the plans of fixtures/findings with a throwaway server: runs each RULE/{bad,good}*.sql and writes its output beside it as .json.
# With arguments, only for those rules. A plan without an .sql file was written by hand (see its expectation).
#   scripts/finding-fixtures.sh [RULE…]
set -eu
bin=${PGBIN:-/usr/lib/postgresql/15/bin}
here=$(cd "$(dirname "$0")/.." && pwd)/fixtures/findings
base=/tmp/pgrehearse-findings
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
stop() { as_postgres "$bin/pg_ctl" -D "$base/data" -m immediate -w stop >/dev/null 2>&1 || true; as_postgres rm -rf "$base/data"; rm -rf "$base"; }
run() { (cd /tmp && as_postgres "$bin/psql" -h "$base" -X -q -A -t -v ON_ERROR_STOP=1 "$@"); }

if [ -z "${KEEP:-}" ] || [ ! -d "$base/data" ]; then
    mkdir -p "$base"; [ "$(id -u)" != 0 ] || chown postgres "$base"
    trap '[ -n "${KEEP:-}" ] || stop' EXIT INT TERM
    as_postgres "$bin/initdb" -D "$base/data" -U postgres -A trust --no-sync -E UTF8 --locale=C >/dev/null
    as_postgres "$bin/pg_ctl" -D "$base/data" -w -l "$base/log" start >/dev/null -o "-c listen_addresses='' \
        -c unix_socket_directories=$base -c autovacuum=off -c fsync=off -c jit=off -c max_parallel_workers_per_gather=0 \
        -c track_io_timing=on -c shared_buffers=128MB -c synchronize_seqscans=off"
    run -U postgres -f - < "$here/schema.sql" >/dev/null
fi
for sql in "$here"/*/*.sql; do
    rule=$(basename "$(dirname "$sql")")
    case " $* " in "  " | *" $rule "*) ;; *) continue ;; esac
    run -U postgres -f - < "$sql" > "${sql%.sql}.json"
done
