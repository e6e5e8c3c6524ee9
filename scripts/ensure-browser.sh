#!/bin/sh
# Installs what tests/browser.rs needs, and prints the path of axe-core's script: Chromium with apt-get (as root, or with
# sudo), and axe-core with npm, into target/axe-core. Neither becomes part of the program.
#   AXE_CORE=$(scripts/ensure-browser.sh) cargo test --test browser
set -eu
cd "$(dirname "$0")/.."
version=4.14.1
missing=''
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
if [ -n "$missing" ]; then
  sudo=''
  if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "ensure-browser: please install:$missing" >&2
    exit 1
  fi
  echo "ensure-browser: + $sudo apt-get install$missing" >&2
  $sudo apt-get update -q >/dev/null
  # shellcheck disable=SC2086 # several packages
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -yq --no-install-recommends $missing >/dev/null
fi
directory=${CARGO_TARGET_DIR:-$PWD/target}/axe-core
if ! [ -f "$directory/package/axe.min.js" ]; then
  mkdir -p "$directory"
  (cd "$directory" && npm pack --silent "axe-core@$version" >/dev/null && tar -xzf "axe-core-$version.tgz" package/axe.min.js package/LICENSE)
fi
echo "$directory/package/axe.min.js"
