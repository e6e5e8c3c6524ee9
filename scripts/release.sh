#!/bin/sh
# Builds the program for a target and writes what is published, into the directory dist:
#   pgrehearse-vVERSION-TARGET.tar.gz   the program with manual pages, completions and licences, and its SHA-256 sum
#   pgrehearse-vVERSION-TARGET.cdx.json the bill of materials (CycloneDX)
#   pgrehearse_VERSION-1_ARCH.deb       where cargo-deb is installed and the target is Linux
#   pgrehearse.rb                       the Homebrew formula, with the sums of the archives that are in dist
#   SHA256SUMS                          of all of them
#
#   scripts/release.sh                               # for this machine
#   scripts/release.sh x86_64-unknown-linux-musl     # static; needs: rustup target add, musl-tools
#   scripts/release.sh aarch64-apple-darwin          # on a Mac
#   PROGRAM=target/release/pgrehearse scripts/release.sh   # packs a program that was built already
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
if [ -z "${PROGRAM:-}" ]; then
    cargo build --profile dist --locked --target "$target"
fi
built=${PROGRAM:-${CARGO_TARGET_DIR:-target}/$target/dist/pgrehearse}
name=pgrehearse-v$version-$target
rm -rf "dist/$name"
mkdir -p "dist/$name"
cp "$built" "dist/$name/pgrehearse"
cp README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "dist/$name/"
# Only a program that runs here can write its own manual pages.
if "$built" --version >/dev/null 2>&1; then
    scripts/package-files.sh "$built" "dist/$name"
fi
tar -C dist -czf "dist/$name.tar.gz" "$name"
cargo run --quiet --locked --example sbom -- "$target" >"dist/$name.cdx.json"

case $target in
*linux*)
    if command -v cargo-deb >/dev/null 2>&1; then
        # cargo deb takes these files from target/, as [package.metadata.deb] says.
        mkdir -p target/release
        [ "$built" -ef target/release/pgrehearse ] || cp "$built" target/release/pgrehearse
        scripts/package-files.sh target/release/pgrehearse target/package-files
        cargo deb --no-build --no-strip --output dist/
    else
        echo "no Debian package: cargo-deb is not installed (cargo install cargo-deb)" >&2
    fi
    ;;
esac

scripts/formula.sh "$version" >dist/pgrehearse.rb
(
    cd dist
    sha256sum "$name.tar.gz" >"$name.tar.gz.sha256"
    find . -maxdepth 1 -type f ! -name 'SHA256SUMS' ! -name '*.sha256' -exec sha256sum {} + | sed 's|  \./|  |' | sort -k 2 >SHA256SUMS
)
ls -l dist
