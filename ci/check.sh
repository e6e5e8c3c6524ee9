#!/usr/bin/env bash
# Runs `pgrehearse check` for a CI system. The inputs are environment variables: TWIN, MIGRATE, and if needed WORKLOAD, FAIL_ON, PG_BIN.
# Writes pgrehearse-check.md, pgrehearse-check.xml (JUnit) and pgrehearse-check.sarif; on GitHub also annotations and the summary of the job.
# The exit status is that of `pgrehearse check`: 4 where a condition of FAIL_ON is met.
set -euo pipefail

: "${TWIN:?the twin file}" "${MIGRATE:?the migration}"
options=(--snapshot "$TWIN" --migrate "$MIGRATE" --fail-on "${FAIL_ON:-cannot-run,regression=50}")
options+=(--junit pgrehearse-check.xml --sarif pgrehearse-check.sarif)
if [ -n "${WORKLOAD:-}" ]; then options+=(--file "$WORKLOAD"); fi
if [ -n "${PG_BIN:-}" ]; then options+=(--pg-bin "$PG_BIN"); fi
if [ -n "${GITHUB_ACTIONS:-}" ]; then options+=(--annotations); fi

status=0
pgrehearse check --format markdown --output pgrehearse-check.md "${options[@]}" || status=$?

if [ -f pgrehearse-check.md ]; then
    if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then cat pgrehearse-check.md >>"$GITHUB_STEP_SUMMARY"; fi
    if [ -n "${GITHUB_OUTPUT:-}" ]; then
        printf 'report=%s\nsarif=%s\n' "$PWD/pgrehearse-check.md" "$PWD/pgrehearse-check.sarif" >>"$GITHUB_OUTPUT"
    fi
    if [ -z "${GITHUB_ACTIONS:-}" ]; then cat pgrehearse-check.md; fi
fi
exit "$status"
