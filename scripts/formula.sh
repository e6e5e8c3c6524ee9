#!/bin/sh
# Prints the Homebrew formula of a version, with the SHA-256 sums of the archives that are in the directory dist. An archive that
# is not there is left out, and said on standard error.
#   scripts/formula.sh 0.1.0 >dist/pgrehearse.rb
set -eu
cd "$(dirname "$0")/.."
version=$1
home=https://github.com/pgrehearse/pgrehearse

# The lines for an archive: TARGET, and the words of the block around them.
archive() {
    file=dist/pgrehearse-v$version-$1.tar.gz
    if [ ! -f "$file" ]; then
        echo "formula: there is no $file" >&2
        return 0
    fi
    sum=$(sha256sum "$file" 2>/dev/null || shasum -a 256 "$file")
    cat <<END

  $2 do
    $3 do
      url "$home/releases/download/v$version/pgrehearse-v$version-$1.tar.gz"
      sha256 "${sum%% *}"
    end
  end
END
}

cat <<END
class Pgrehearse < Formula
  desc "PostgreSQL index advisor and query-plan analyzer for the terminal"
  homepage "$home"
  version "$version"
  license any_of: ["MIT", "Apache-2.0"]
END
archive aarch64-apple-darwin on_macos on_arm
archive x86_64-apple-darwin on_macos on_intel
archive aarch64-unknown-linux-musl on_linux on_arm
archive x86_64-unknown-linux-musl on_linux on_intel
cat <<'END'

  def install
    bin.install "pgrehearse"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/pgrehearse.bash" => "pgrehearse"
    zsh_completion.install "completions/_pgrehearse"
    fish_completion.install "completions/pgrehearse.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/pgrehearse --version")
  end
end
END
