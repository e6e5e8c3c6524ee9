#!/bin/sh
# Finds a PostgreSQL server installation (14 to 18) that pgrehearse can start
# throwaway clusters with; installs one with the system's package manager if
# there is none. Prints the directory of initdb, postgres and pg_ctl.
#
# Usage: ensure-postgres.sh [--check [--quiet]] [--major N] [-v|--verbose] [-h|--help]
#
#   --major N      only this major version (14 to 18) will do
#   --check        do not install; if there is none, exit 1 and print the
#                  commands that install one on this system
#   --quiet        do not look for those commands, which takes a second
#   -v, --verbose  print on stderr which installation is used and why
#
# Environment:
#   PGREHEARSE_PG_BIN  use this directory and no other; an error if unusable
#
# stdout carries the directory and nothing else; all messages go to stderr.
# Exit status: 0 found or installed, 1 not, 2 wrong usage.
#
# No cluster is created, started, stopped or upgraded: pgrehearse makes its
# own, in temporary directories, and leaves the machine's databases alone.
# Nothing here depends on $0, so `sh -s < ensure-postgres.sh` works.
set -eu

# --major makes all of them mean one version.
MIN_MAJOR=14
MAX_MAJOR=18
NEWEST_FIRST='18 17 16 15 14'
RANGE='14 to 18'
USUAL_MAJOR=17    # where the package manager cannot be asked

CREATECLUSTER_CONF=/etc/postgresql-common/createcluster.conf
# Not *.conf, and beside the original: postgresql-common never reads it, and
# moving it back is a rename (same inode, owner, mode and time stamps).
CREATECLUSTER_SAVED=$CREATECLUSTER_CONF.pgrehearse-saved
POLICY=/usr/sbin/policy-rc.d
POLICY_SAVED=$POLICY.pgrehearse-saved

CHECK_ONLY=no
QUIET=no
VERBOSE=no
FOUND=''          # the answer, with FOUND_VERSION and FOUND_WHY
FOUND_VERSION=''
FOUND_WHY=''
REJECTED=''       # why the last directory looked at was not taken
PLAN=''           # commands that install a server, one per line
PLAN_WHY_NOT=''   # why there is no plan
SUDO=''           # "sudo" if root commands need it
LOG=''
RESTORE_CONF=no   # no | saved (move the saved file back) | absent (remove ours)
RESTORE_POLICY=no

say() { printf 'ensure-postgres: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
chat() { if [ "$VERBOSE" = yes ]; then say "$*"; fi; }
have() { command -v "$1" >/dev/null 2>&1; }

usage() {
  cat <<'USAGE'
Usage: ensure-postgres.sh [--check [--quiet]] [--major N] [-v|--verbose] [-h|--help]

Prints the directory of a PostgreSQL 14-18 server's programs; installs the
server with the system's package manager if there is none.

  --major N      only this major version will do
  --check        do not install
  --quiet        with --check: do not look for what could be installed
  -v, --verbose  print on stderr which installation is used and why

PGREHEARSE_PG_BIN names the directory to use instead of searching.
USAGE
}

# ---------------------------------------------------------------- looking ---

# "postgres (PostgreSQL) 15.18 (Debian ...)" -> "15.18"; empty for anything
# that is not PostgreSQL's own program or does not run here.
version_of() {
  { "$1" --version </dev/null 2>/dev/null || :; } |
    sed -n '1s/^[^(]*(PostgreSQL) \([0-9][0-9A-Za-z.]*\).*/\1/p'
}

# Is $1 usable? Sets FOUND/FOUND_VERSION, or REJECTED with the reason.
# Running the three programs (rather than test -x) also notices a package of
# another architecture, missing libraries and wrappers without a server.
usable() {
  REJECTED=''
  FOUND_VERSION=''
  for _prog in postgres initdb pg_ctl; do
    if [ ! -f "$1/$_prog" ] || [ ! -x "$1/$_prog" ]; then
      REJECTED="it has no executable $_prog"
      return 1
    fi
    _version=$(version_of "$1/$_prog")
    if [ -z "$_version" ]; then
      REJECTED="its $_prog does not run or is not PostgreSQL's"
      return 1
    fi
    _major=${_version%%[!0-9]*}
    if [ "$_major" -lt "$MIN_MAJOR" ] || [ "$_major" -gt "$MAX_MAJOR" ]; then
      REJECTED="it is PostgreSQL $_version, not $RANGE"
      return 1
    fi
    if [ -n "$FOUND_VERSION" ] && [ "$_major" != "${FOUND_VERSION%%[!0-9]*}" ]; then
      REJECTED="its programs are of different versions ($FOUND_VERSION and $_version)"
      return 1
    fi
    [ -n "$FOUND_VERSION" ] || FOUND_VERSION=$_version
  done
  # Absolute and without a trailing slash, whatever the caller wrote.
  FOUND=$(CDPATH='' cd -- "$1" && pwd)
}

# try DIR WHY: take DIR if it is usable.
try() {
  [ -d "$1" ] || return 1
  if usable "$1"; then
    FOUND_WHY=$2
    return 0
  fi
  # Every /usr/bin lacks initdb on Debian; only a server is worth a word.
  if [ -e "$1/postgres" ] || [ -e "$1/initdb" ]; then
    chat "not $1 ($2): $REJECTED"
  fi
  return 1
}

try_path() {
  # Unquoted to split at the colons; -f because a PATH entry is no pattern.
  _ifs=$IFS
  IFS=:
  set -f
  # shellcheck disable=SC2086
  set -- $PATH
  set +f
  IFS=$_ifs
  for _dir in "$@"; do
    case $_dir in
      /*) if try "$_dir" 'on PATH'; then return 0; fi ;;
    esac
  done
  return 1
}

try_pg_config() {
  have pg_config || return 1
  _dir=$(pg_config --bindir 2>/dev/null </dev/null) || return 1
  try "$_dir" 'named by pg_config --bindir'
}

# try_family PREFIX SUFFIX WHY: PREFIX<major>SUFFIX, newest supported first.
try_family() {
  for _major_wanted in $NEWEST_FIRST; do
    if try "$1$_major_wanted$2" "$3"; then return 0; fi
  done
  return 1
}

try_homebrew() {
  for _prefix in "${HOMEBREW_PREFIX:-}" /opt/homebrew /usr/local /home/linuxbrew/.linuxbrew; do
    [ -n "$_prefix" ] || continue
    if try_family "$_prefix/opt/postgresql@" /bin 'Homebrew'; then return 0; fi
    if try "$_prefix/opt/postgresql/bin" 'Homebrew'; then return 0; fi
  done
  return 1
}

try_installed() {
  try_path ||
    try_pg_config ||
    try_family /usr/lib/postgresql/ /bin 'a Debian/Ubuntu package' ||
    try_family /usr/pgsql- /bin 'a postgresql.org RPM package' ||
    try_homebrew ||
    try_family /Applications/Postgres.app/Contents/Versions/ /bin 'Postgres.app' ||
    try_family /opt/local/lib/postgresql /bin 'MacPorts' ||
    try_family /usr/lib/postgresql /bin 'an openSUSE package' ||
    try_family /usr/libexec/postgresql '' 'an Alpine package' ||
    try_family /usr/lib64/postgresql- /bin 'a Gentoo package' ||
    try /usr/local/pgsql/bin 'a build from source'
}

find_server() {
  if [ -n "${PGREHEARSE_PG_BIN:-}" ]; then
    # No search and no installation behind the back of an explicit choice.
    [ -d "$PGREHEARSE_PG_BIN" ] ||
      die "PGREHEARSE_PG_BIN=$PGREHEARSE_PG_BIN is not a directory"
    usable "$PGREHEARSE_PG_BIN" ||
      die "PGREHEARSE_PG_BIN=$PGREHEARSE_PG_BIN cannot be used: $REJECTED"
    FOUND_WHY='named by PGREHEARSE_PG_BIN'
    return 0
  fi
  try_installed
}

answer() {
  chat "using $FOUND: PostgreSQL $FOUND_VERSION, $FOUND_WHY"
  printf '%s\n' "$FOUND"
}

# Name servers of other versions, so that it is clear why the PostgreSQL
# they know is there does not count.
say_unsupported() {
  for _dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/bin /usr/local/bin; do
    [ -x "$_dir/postgres" ] || continue
    if ! usable "$_dir"; then
      say "found $_dir, but $REJECTED (it is left alone)"
    fi
  done
}

# ------------------------------------------------- planning, per manager ---
# Each plan_* sets PLAN to the commands to run (as root, except for brew)
# without running anything, or returns 1 with the reason in PLAN_WHY_NOT.

package_manager() {
  if [ "$(uname -s)" = Darwin ]; then
    if have brew; then echo brew; fi
  # A non-empty dpkg database: Fedora and others have an apt-get package too.
  elif have apt-get && [ -s /var/lib/dpkg/status ]; then echo apt
  elif have dnf; then echo dnf
  elif have yum; then echo yum
  elif have zypper; then echo zypper
  elif have pacman; then echo pacman
  elif have apk; then echo apk
  elif have brew; then echo brew
  fi
}

supported_major() {
  case $1 in
    '' | *[!0-9]*) return 1 ;;
  esac
  [ "$1" -ge "$MIN_MAJOR" ] && [ "$1" -le "$MAX_MAJOR" ]
}

# Those of the given packages that are installable from apt's lists.
apt_installable() {
  LC_ALL=C apt-cache policy "$@" 2>/dev/null </dev/null |
    awk '/^[^ ].*:$/ { sub(/:$/, ""); name = $0 }
         $1 == "Candidate:" && $2 != "(none)" { print name }'
}

# Newest supported NN such that postgresql-NN is installable.
apt_candidate() {
  _names=''
  for _nn in $NEWEST_FIRST; do _names="$_names postgresql-$_nn"; done
  # shellcheck disable=SC2086
  apt_installable $_names | sed -n 's/^postgresql-//p' | sort -rn | sed -n '1p' | grep .
}

# What to type by hand; install_apt does the same with more care.
plan_apt() {
  _install='apt-get install -y --no-install-recommends'
  if _nn=$(apt_candidate); then
    _server=postgresql-$_nn
    PLAN=''
  elif [ -n "$(apt_installable postgresql)" ]; then
    # Any PostgreSQL at all, so the lists are there, but only an old one.
    PLAN_WHY_NOT="apt offers no postgresql-N of version $RANGE here, but the PostgreSQL project's repository does; add it, then run this again"
    PLAN="$_install postgresql-common ca-certificates
/usr/share/postgresql-common/pgdg/apt.postgresql.org.sh"
    return 1
  else
    # Empty lists: which versions there are cannot be known before the update.
    _server=postgresql
    [ "$MIN_MAJOR" -ne "$MAX_MAJOR" ] || _server=postgresql-$MIN_MAJOR
    PLAN="apt-get update
"
  fi
  PLAN="$PLAN$_install postgresql-common
sh -c 'echo \"create_main_cluster = false\" >>$CREATECLUSTER_CONF'
$_install $_server
sed -i '\$d' $CREATECLUSTER_CONF"
}

plan_dnf() {
  _dnf=$1
  # yum 3 (before RHEL 8) spells it without the dashes.
  _offers=$({ LC_ALL=C "$_dnf" -q list --available 'postgresql*-server' ||
    LC_ALL=C "$_dnf" -q list available 'postgresql*-server'; } </dev/null 2>/dev/null |
    awk '$1 ~ /^postgresql[0-9]*-server\./ {
           name = $1; sub(/\..*/, "", name)
           version = $2; sub(/^[0-9]+:/, "", version); sub(/[^0-9].*/, "", version)
           print version, name }' | sort -u) || _offers=''
  # The distribution's default package first: it is the one kept up to date
  # there. If a server of that name is installed it is too old or too new for
  # us, and installing would replace it; then only another package will do.
  if ! rpm -q postgresql-server >/dev/null 2>&1; then
    _default=$(printf '%s\n' "$_offers" | awk '$2 == "postgresql-server" { print $1 }' | sort -rn | head -n 1)
    if supported_major "$_default"; then
      PLAN="$_dnf -y install postgresql-server"
      return 0
    fi
  fi
  for _nn in $NEWEST_FIRST; do
    if printf '%s\n' "$_offers" | grep -qx "$_nn postgresql$_nn-server"; then
      PLAN="$_dnf -y install postgresql$_nn-server"
      return 0
    fi
  done
  if rpm -q postgresql-server >/dev/null 2>&1; then
    PLAN_WHY_NOT="the installed postgresql-server is not of version $RANGE, and the configured repositories have no server that installs next to it; https://www.postgresql.org/download/linux/redhat/ has"
    return 1
  fi
  # RHEL 8 and 9 and their rebuilds: 10 or 13 by default, others as modules.
  _streams=$(LC_ALL=C "$_dnf" -q module list postgresql </dev/null 2>/dev/null |
    awk '$1 == "postgresql" { print $2 }') || _streams=''
  for _nn in $NEWEST_FIRST; do
    if printf '%s\n' "$_streams" | grep -qx "$_nn"; then
      PLAN="$_dnf -y module enable postgresql:$_nn
$_dnf -y install postgresql-server"
      return 0
    fi
  done
  PLAN_WHY_NOT="$_dnf offers no postgresql-server $RANGE; https://www.postgresql.org/download/linux/redhat/ has them"
  return 1
}

plan_zypper() {
  _names=$(LC_ALL=C zypper --non-interactive --quiet search --type package 'postgresql*-server' \
    </dev/null 2>/dev/null | tr -d ' ' | awk -F'|' '{ print $2 }') || _names=''
  for _nn in $NEWEST_FIRST; do
    if printf '%s\n' "$_names" | grep -qx "postgresql$_nn-server"; then
      PLAN="zypper --non-interactive install --no-recommends postgresql$_nn-server"
      return 0
    fi
  done
  PLAN_WHY_NOT="zypper offers no postgresqlN-server of version $RANGE"
  return 1
}

plan_apk() {
  for _nn in $NEWEST_FIRST; do
    if apk search --exact --quiet "postgresql$_nn" 2>/dev/null </dev/null | grep -qx "postgresql$_nn"; then
      PLAN="apk add postgresql$_nn"
      return 0
    fi
  done
  # Containers come without an index; --update-cache is how one gets it.
  if [ "$(apk search --exact --quiet busybox 2>/dev/null </dev/null)" = '' ]; then
    PLAN="apk add --update-cache postgresql$USUAL_MAJOR"
    return 0
  fi
  PLAN_WHY_NOT="apk offers no postgresqlN of version $RANGE"
  return 1
}

plan_pacman() {
  if pacman -Q postgresql >/dev/null 2>&1; then
    PLAN_WHY_NOT="the installed postgresql package is not of version $RANGE and is not to be replaced"
    return 1
  fi
  _major=$(LC_ALL=C pacman -Si postgresql 2>/dev/null |
    sed -n 's/^Version *: *\([0-9]*\).*/\1/p' | head -n 1)
  # No answer is an empty database, which the installation will complain of.
  if [ -n "$_major" ] && ! supported_major "$_major"; then
    PLAN_WHY_NOT="pacman offers PostgreSQL $_major, not $RANGE"
    return 1
  fi
  PLAN='pacman -S --needed --noconfirm postgresql'
}

plan_brew() {
  # The formula's post-install step runs initdb unless this variable is set;
  # skipping that step altogether would also skip links the server needs.
  PLAN='env HOMEBREW_GITHUB_ACTIONS=1 brew install postgresql@'$USUAL_MAJOR
}

make_plan() {
  PLAN=''
  PLAN_WHY_NOT=''
  case $1 in
    apt) plan_apt ;;
    dnf | yum) plan_dnf "$1" ;;
    zypper) plan_zypper ;;
    apk) plan_apk ;;
    pacman) plan_pacman ;;
    brew) plan_brew ;;
    *)
      PLAN_WHY_NOT="no package manager known to this script was found; install a PostgreSQL $RANGE server (https://www.postgresql.org/download/) and, if it is in an unusual place, set PGREHEARSE_PG_BIN to the directory of its programs"
      return 1
      ;;
  esac
}

# say_plan MANAGER: the commands of PLAN, ready to be copied.
say_plan() {
  if [ -z "$PLAN" ]; then
    return 0
  fi
  _as=''
  if [ "$1" = brew ]; then
    _who=''
  elif [ "$(id -u)" -eq 0 ]; then
    _who=''
  elif have sudo; then
    _who=''
    _as='sudo '
  else
    _who=' as root'
  fi
  if [ -n "$PLAN_WHY_NOT" ]; then
    say "run$_who:"
  else
    say "to install one yourself, run$_who:"
  fi
  printf '%s\n' "$PLAN" | sed "s/^/  $_as/" >&2
}

say_by_hand() {
  if [ -n "$PLAN_WHY_NOT" ]; then
    say "$PLAN_WHY_NOT"
  fi
  say_plan "$1"
  if [ "$1" = apt ] && any_cluster; then
    say 'note: if you install it yourself, the installation may start stopped clusters that are set to start automatically'
  fi
}

# --------------------------------------------------------------- running ---

# Arguments as a shell would have to be given them.
quoted() {
  _line=''
  for _arg in "$@"; do
    case $_arg in
      '' | *[!A-Za-z0-9_./:=@%+,-]*)
        _arg="'$(printf '%s' "$_arg" | sed "s/'/'\\\\''/g")'"
        ;;
    esac
    _line="$_line${_line:+ }$_arg"
  done
  printf '%s' "$_line"
}

# Announce a command, then run it into the log. No stdin: this script may be
# read from it, and no package manager is to ask anything.
run() {
  say "+ $(quoted "$@")"
  printf '+ %s\n' "$(quoted "$@")" >>"$LOG"
  "$@" >>"$LOG" 2>&1 </dev/null
}

run_root() {
  if [ -n "$SUDO" ]; then
    set -- "$SUDO" "$@"
  fi
  run "$@"
}

start_log() {
  LOG=$(mktemp "${TMPDIR:-/tmp}/pgrehearse-install-postgres.XXXXXX") ||
    die "cannot write a log file in ${TMPDIR:-/tmp}"
}

show_log() {
  if [ -s "$LOG" ]; then
    say "the last lines of $LOG:"
    tail -n 15 "$LOG" | sed 's/^/  | /' >&2
  fi
}

# Find out how to become root, before anything is changed.
get_root() {
  if [ "$(id -u)" -eq 0 ]; then
    return 0
  fi
  if ! have sudo; then
    say 'installing needs root, and sudo is not installed'
    return 1
  fi
  SUDO=sudo
  if sudo -n true </dev/null >/dev/null 2>&1; then
    return 0
  fi
  # sudo asks on the terminal, not on stdin.
  if ! (: </dev/tty) 2>/dev/null; then
    say 'installing needs root; sudo asks for a password, and there is no terminal to ask on'
    return 1
  fi
  say '+ sudo -v   (asks for your password; the commands run with it follow, one line each)'
  if ! sudo -v >&2; then
    say 'sudo was refused'
    return 1
  fi
}

# ------------------------------------------------------------ apt, safely ---

# apt_get RUNNER ARG...: no questions, the administrator's configuration files
# stay, a running unattended-upgrade is waited for, needrestart restarts nothing.
apt_get() {
  _runner=$1
  shift
  "$_runner" env DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1 NEEDRESTART_SUSPEND=1 \
    apt-get -o DPkg::Lock::Timeout=300 "$@"
}

# apt_install RUNNER ARG...; --no-remove: rather fail than make room.
apt_install() {
  _runner=$1
  shift
  apt_get "$_runner" install -y --no-install-recommends --no-remove \
    -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

# Out of reach of the terminal's Ctrl-C: it would kill dpkg half-way, leaving
# packages that "dpkg --configure -a" has to repair and that would create
# their cluster then. The script notices the Ctrl-C when the command is done.
run_root_to_the_end() {
  run_root sh -c 'trap "" HUP INT TERM; exec setsid -w "$@"' sh "$@"
}

APT_UPDATED=no
apt_update() {
  [ "$APT_UPDATED" = no ] || return 1
  APT_UPDATED=yes
  say "updating apt's package lists"
  apt_get run_root update
}

# Everything that takes long, before anything is changed. Old lists name files
# the mirror no longer has: one update, one more try.
apt_download() {
  apt_install run_root --download-only "$1" && return 0
  apt_update && apt_install run_root --download-only "$1"
}

any_cluster() {
  for _conf in /etc/postgresql/*/*/postgresql.conf; do
    if [ -e "$_conf" ]; then return 0; fi
  done
  return 1
}

# Installing a server package starts *all* stopped clusters, of any version.
# So while there are any, forbid service actions on PostgreSQL; other services
# are decided by the policy that was there, if one was.
guard_services() {
  any_cluster || return 0
  say "this machine has PostgreSQL clusters: preventing that any is started or stopped (temporary $POLICY)"
  if [ -e "$POLICY_SAVED" ] || [ -L "$POLICY_SAVED" ]; then
    say "putting back $POLICY, left by an interrupted run"
    run_root mv -f "$POLICY_SAVED" "$POLICY" || return 1
  fi
  RESTORE_POLICY=absent
  if [ -e "$POLICY" ] || [ -L "$POLICY" ]; then
    RESTORE_POLICY=saved
    run_root mv "$POLICY" "$POLICY_SAVED" || return 1
  fi
  run_root sh -c "printf '%s\\n' \
'#!/bin/sh' \
'# Temporary, by pgrehearse: no service action on PostgreSQL while installing.' \
'case \" \$* \" in *\" postgresql\"*) exit 101 ;; esac' \
'if [ -x $POLICY_SAVED ]; then exec $POLICY_SAVED \"\$@\"; fi' \
'exit 0' >$POLICY && chmod 755 $POLICY"
}

# The documented switch against the "main" cluster a server package creates.
# The line goes to the end, where it wins over the file and what it includes.
forbid_main_cluster() {
  say "switching off the creation of a default cluster (temporary change of $CREATECLUSTER_CONF)"
  if [ -e "$CREATECLUSTER_SAVED" ] || [ -L "$CREATECLUSTER_SAVED" ]; then
    say "putting back $CREATECLUSTER_CONF, left changed by an interrupted run"
    run_root mv -f "$CREATECLUSTER_SAVED" "$CREATECLUSTER_CONF" || return 1
  fi
  if [ -e "$CREATECLUSTER_CONF" ]; then
    RESTORE_CONF=saved
    run_root mv "$CREATECLUSTER_CONF" "$CREATECLUSTER_SAVED" || return 1
    run_root cp -p "$CREATECLUSTER_SAVED" "$CREATECLUSTER_CONF" || return 1
  else
    RESTORE_CONF=absent
  fi
  run_root sh -c "echo 'create_main_cluster = false' >>$CREATECLUSTER_CONF" || return 1
  # Ask as the package's installation script will ask (as root: the file may
  # not be readable for others).
  set -- pg_conftool "$CREATECLUSTER_CONF" show -bs create_main_cluster
  if [ -n "$SUDO" ]; then set -- "$SUDO" "$@"; fi
  say "+ $(quoted "$@")"
  _create=$("$@" 2>>"$LOG" </dev/null) || _create=''
  if [ "$_create" != off ]; then
    say "postgresql-common ignores create_main_cluster = false (it reads '$_create')"
    return 1
  fi
}

restore_createcluster_conf() {
  case $RESTORE_CONF in
    saved)
      if [ -e "$CREATECLUSTER_SAVED" ] || [ -L "$CREATECLUSTER_SAVED" ]; then
        say "putting back $CREATECLUSTER_CONF as it was"
        run_root mv -f "$CREATECLUSTER_SAVED" "$CREATECLUSTER_CONF" ||
          say "COULD NOT: please run: mv -f $CREATECLUSTER_SAVED $CREATECLUSTER_CONF (as root)"
      fi
      ;;
    absent)
      say "removing $CREATECLUSTER_CONF, which was not there before"
      run_root rm -f "$CREATECLUSTER_CONF" ||
        say "COULD NOT: please run: rm -f $CREATECLUSTER_CONF (as root)"
      ;;
  esac
  RESTORE_CONF=no
}

restore_policy() {
  case $RESTORE_POLICY in
    saved)
      if [ -e "$POLICY_SAVED" ] || [ -L "$POLICY_SAVED" ]; then
        say "putting back $POLICY as it was"
        run_root mv -f "$POLICY_SAVED" "$POLICY" ||
          say "COULD NOT: please run: mv -f $POLICY_SAVED $POLICY (as root)"
      fi
      ;;
    absent)
      say "removing the temporary $POLICY"
      run_root rm -f "$POLICY" ||
        say "COULD NOT: please run: rm -f $POLICY (as root)"
      ;;
  esac
  RESTORE_POLICY=no
}

# Would installing the server also install or upgrade postgresql-common? Then
# that has to come first: its installation script manages createcluster.conf,
# which must not be the changed one at that moment.
apt_common_first() {
  LC_ALL=C apt-get -s install --no-install-recommends "$1" 2>/dev/null </dev/null |
    grep -q '^Inst postgresql-common '
}

install_apt() {
  if ! _nn=$(apt_candidate); then
    apt_update || return 1
    if ! _nn=$(apt_candidate); then
      # "apt-get update" also succeeds if no mirror could be reached.
      if make_plan apt; then
        say 'apt has no PostgreSQL package, even after updating its lists'
        show_log
      fi
      say_by_hand apt
      exit 1
    fi
  fi
  say "installing postgresql-$_nn with apt, without a default cluster"
  _server=postgresql-$_nn
  apt_download "$_server" || return 1
  guard_services || return 1
  if apt_common_first "$_server"; then
    say 'installing postgresql-common (from here on, Ctrl-C takes effect between the steps)'
    apt_install run_root_to_the_end postgresql-common || return 1
  fi
  forbid_main_cluster || return 1
  say "installing $_server"
  apt_install run_root_to_the_end "$_server" || return 1
  restore_createcluster_conf
  restore_policy
}

# ---------------------------------------------------------- other managers ---

# None of these packages creates or starts a cluster by itself (Homebrew's is
# kept from it, see plan_brew), so the plan is all there is to do.
install_plan() {
  _old_ifs=$IFS
  IFS='
'
  for _command in $PLAN; do
    IFS=$_old_ifs
    # Plans consist of plain words.
    if [ "$1" = brew ]; then
      # shellcheck disable=SC2086
      run $_command || return 1
    else
      # shellcheck disable=SC2086
      run_root $_command || return 1
    fi
  done
  IFS=$_old_ifs
}

# ------------------------------------------------------------------- main ---

cleanup() {
  _status=$?
  # Nothing may interrupt putting things back, and a failure here must not
  # hide the status that led here.
  trap '' HUP INT TERM
  trap - EXIT
  set +e
  restore_createcluster_conf
  restore_policy
  if [ -n "$LOG" ] && { [ "$_status" -eq 0 ] || [ ! -s "$LOG" ]; }; then
    rm -f "$LOG"
  fi
  exit "$_status"
}

interrupted() {
  say 'interrupted'
  if [ -n "$LOG" ]; then say "what was done so far is in $LOG"; fi
  exit "$1"
}

report_missing() {
  say "no PostgreSQL $RANGE server found"
  say_unsupported
  _pm=$(package_manager)
  make_plan "$_pm" || :
  say_by_hand "$_pm"
}

install_failed() {
  say 'the installation failed'
  show_log
  exit 1
}

install_server() {
  say "no PostgreSQL $RANGE server found"
  say_unsupported
  _pm=$(package_manager)
  # For apt a missing plan may only mean old lists; install_apt sorts it out.
  if ! make_plan "$_pm" && [ "$_pm" != apt ]; then
    die "$PLAN_WHY_NOT"
  fi
  if [ "$_pm" = brew ]; then
    [ "$(id -u)" -ne 0 ] || die 'Homebrew does not run as root: run this as its owner'
  elif ! get_root; then
    say_by_hand "$_pm"
    exit 1
  fi
  start_log
  if [ "$_pm" = apt ]; then
    install_apt || install_failed
  else
    say "installing a PostgreSQL server with $_pm"
    install_plan "$_pm" || install_failed
  fi
}

want_major() {
  supported_major "$1" || die "--major $1: supported are $RANGE"
  MIN_MAJOR=$1
  MAX_MAJOR=$1
  NEWEST_FIRST=$1
  RANGE=$1
  USUAL_MAJOR=$1
}

main() {
  while [ $# -gt 0 ]; do
    case $1 in
      --major)
        [ $# -ge 2 ] || { usage >&2; exit 2; }
        want_major "$2"
        shift
        ;;
      --check) CHECK_ONLY=yes ;;
      --quiet) QUIET=yes ;;
      -v | --verbose) VERBOSE=yes ;;
      -h | --help) usage; exit 0 ;;
      *) usage >&2; exit 2 ;;
    esac
    shift
  done
  if find_server; then
    answer
    exit 0
  fi
  if [ "$CHECK_ONLY" = yes ]; then
    [ "$QUIET" = yes ] || report_missing
    exit 1
  fi
  trap cleanup EXIT
  trap 'interrupted 129' HUP
  trap 'interrupted 130' INT
  trap 'interrupted 143' TERM
  install_server
  hash -r
  if ! find_server; then
    say 'the package manager reported success, but there is still no usable server'
    show_log
    exit 1
  fi
  say "installed PostgreSQL $FOUND_VERSION"
  answer
}

main "$@"
