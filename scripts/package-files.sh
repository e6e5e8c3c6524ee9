#!/bin/sh
# Writes what is installed beside the program: manual pages and completions.
#   scripts/package-files.sh target/release/pgrehearse target/package-files
set -eu
program=$1
directory=$2
mkdir -p "$directory/man" "$directory/completions"
"$program" man --directory "$directory/man"
"$program" completions bash >"$directory/completions/pgrehearse.bash"
"$program" completions fish >"$directory/completions/pgrehearse.fish"
"$program" completions zsh >"$directory/completions/_pgrehearse"
"$program" completions nushell >"$directory/completions/pgrehearse.nu"
"$program" completions elvish >"$directory/completions/pgrehearse.elv"
"$program" completions powershell >"$directory/completions/_pgrehearse.ps1"
