#!/bin/sh
# Builds the program for a target and packs it with manual pages, completions and licences:
# pgrehearse-vVERSION-TARGET.tar.gz and its SHA-256 sum, in the directory dist.
#   scripts/release.sh                               # for this machine
#   scripts/release.sh x86_64-unknown-linux-musl     # static; needs: rustup target add, musl-tools
# The version is that of Cargo.toml; with a tag on the commit, both must agree.
set -eu
cd "$(dirname "$0")/.."
version=$(cargo metadata --no-deps --format-version 1 | sed 's/.*"name":"pgrehearse","version":"\([^"]*\)".*/\1/')
tag=$(git describe --exact-match --tags 2>/dev/null || true)
if [ -n "$tag" ] && [ "$tag" != "v$version" ]; then
    echo "the tag is $tag, but Cargo.toml has version $version" >&2
    exit 1
fi
host=$(rustc -vV | sed -n 's/^host: //p')
target=${1:-$host}
cargo build --profile dist --locked --target "$target"
built=${CARGO_TARGET_DIR:-target}/$target/dist/pgrehearse
name=pgrehearse-v$version-$target
rm -rf "dist/$name"
mkdir -p "dist/$name"
cp "$built" README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "dist/$name/"
# Only a program that runs here can write its own manual pages.
if "$built" --version >/dev/null 2>&1; then
    scripts/package-files.sh "$built" "dist/$name"
fi
tar -C dist -czf "dist/$name.tar.gz" "$name"
(cd dist && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
ls -l "dist/$name.tar.gz"
