#!/bin/sh
# Measures what writers feel of `pgrehearse advise`: pgbench writes 150 times a second to a throwaway PostgreSQL 15 while the program runs.
# Prints the program's run time, transactions a second, the longest transaction, how many took over a second, and the time during which
# some transaction had been running for more than 0.1 s, as pgbench's own log shows them.
#
#   scripts/measure-waits.sh PROGRAM [OPTION…]        (options of advise, such as --rehearse=transaction)
#
# PGBIN is the directory of the server's programs, SCALE pgbench's scale (default 20: builds take about a second), SECONDS_OF_LOAD how long
# pgbench runs (default 90; longer than the program).
set -eu
program=$1
shift
bin=${PGBIN:-/usr/lib/postgresql/15/bin}
base=$(mktemp -d /tmp/pgrehearse-waits.XXXXXX)
as_postgres() { if [ "$(id -u)" = 0 ]; then (cd "$base" && runuser -u postgres -- "$@"); else (cd "$base" && "$@"); fi; }
stop() { as_postgres "$bin/pg_ctl" -D "$base/data" -m immediate -w stop >/dev/null 2>&1 || true; rm -rf "$base"; }
trap stop EXIT INT TERM
[ "$(id -u)" != 0 ] || chown postgres "$base"
as_postgres "$bin/initdb" -D "$base/data" -U postgres -A trust --no-sync >/dev/null
as_postgres "$bin/pg_ctl" -D "$base/data" -w -l "$base/log" start >/dev/null \
    -o "-c listen_addresses='' -c unix_socket_directories=$base -c fsync=off -c shared_buffers=256MB"
as_postgres "$bin/pgbench" -h "$base" -U postgres -i -q -s "${SCALE:-20}" postgres >/dev/null 2>&1

as_postgres "$bin/pgbench" -h "$base" -U postgres -n -c 8 -j 2 -R 150 -T "${SECONDS_OF_LOAD:-90}" -l postgres >"$base/pgbench.out" 2>&1 &
load=$!
sleep 5
began=$(date +%s.%N)
"$program" advise -q -h "$base" -U postgres -d postgres --pg-bin "$bin" "$@" -c "
    SELECT * FROM pgbench_accounts WHERE abalance = 77777;
    SELECT aid FROM pgbench_accounts WHERE bid = 3 AND abalance > 4900 ORDER BY abalance LIMIT 10;
    SELECT * FROM pgbench_history WHERE aid = 4711 ORDER BY mtime DESC LIMIT 5;
    SELECT count(*) FROM pgbench_history WHERE tid = 17 AND delta > 4000;" | tail -3
ended=$(date +%s.%N)
wait "$load"
# Columns of the log: client, transaction, latency (µs), script, seconds, microseconds, lag behind the schedule (µs).
cat "$base"/pgbench_log.* | awk -v began="$began" -v ended="$ended" '
    { end = $5 + $6 / 1e6; took = ($3 - $7) / 1e6 }
    end >= began && end <= ended + 2 { printf "%.6f %.6f\n", end - took, end }' | sort -n | awk -v run="$(awk "BEGIN { print $ended - $began }")" '
    { took = $2 - $1; number++; if (took > longest) longest = took; if (took > 1) over++ }
    took > 0.1 { if ($1 > until) { blocked += took; until = $2 } else if ($2 > until) { blocked += $2 - until; until = $2 } }
    END { printf "run %.1f s · %.0f transactions a second · longest %.2f s · %d over 1 s · blocked %.1f s\n",
          run, number / (run + 2), longest, over, blocked }'
