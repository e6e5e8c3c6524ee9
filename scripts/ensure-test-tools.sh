#!/bin/sh
# Installs the programs that the tests need, with apt-get (as root, or with sudo). Without apt-get it prints
# what to install.
set -eu

# Debian has pgbouncer in /usr/sbin, which is not in every PATH.
PATH="$PATH:/usr/sbin"
missing=''
for tool in tmux:tmux dash:dash pgrep:procps script:bsdutils pgbouncer:pgbouncer; do
  command -v "${tool%%:*}" >/dev/null 2>&1 || missing="$missing ${tool##*:}"
done
[ -n "$missing" ] || exit 0

sudo=''
if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
if ! command -v apt-get >/dev/null 2>&1 || { [ -n "$sudo" ] && ! command -v sudo >/dev/null 2>&1; }; then
  echo "ensure-test-tools: please install:$missing" >&2
  exit 1
fi
echo "ensure-test-tools: + $sudo apt-get install$missing" >&2
$sudo apt-get update -q >/dev/null
# shellcheck disable=SC2086 # several packages
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -yq --no-install-recommends $missing >/dev/null
