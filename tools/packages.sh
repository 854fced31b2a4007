# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Sourced by the scripts at the root: what Debian 12 packages Mysos is built, run and tested with, and how they come in.

packages_build=(clang-19 lld-19 cmake ninja-build ccache pkg-config libboost1.81-dev libboost-json1.81-dev libboost-url1.81-dev
  libssl-dev libsodium-dev libmariadb-dev libsqlite3-dev libcli11-dev libspdlog-dev libfmt-dev libtomlplusplus-dev libgtest-dev
  libmimalloc-dev libzstd-dev zlib1g-dev python3)
packages_run=(mariadb-server-core mariadb-client mariadb-backup haproxy)
packages_test=(libclang-rt-19-dev shellcheck python3-pytest python3-pytest-xdist python3-pymysql python3-cryptography
  python3-pip patchelf e2fsprogs iproute2 nftables binutils libsvn1 libapr1 libsasl2-2 ca-certificates default-jre-headless)

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }

# need_mysql_user: servers that root starts run as a user of their own, who alone can read the data. Makes that user where
# there is none, as Debian's package mariadb-server does it. Whoever is not root runs servers as himself.
need_mysql_user() {
  [ "$(id -u)" -eq 0 ] || return 0
  ! getent passwd mysql >/dev/null && ! getent passwd mysos >/dev/null || return 0
  say "Making the system user mysql, whom servers run as"
  useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin mysql
}

# need_packages NAME...: installs those that are missing; asks for nothing; says nothing where nothing is missing.
need_packages() {
  local missing=() name
  for name in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "These packages are missing, and there is no sudo to install them with: ${missing[*]}" >&2
      return 1
    }
    root=(sudo --)
  fi
  say "Installing ${missing[*]}"
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300
    -o Acquire::Retries=3 -o Dpkg::Options::=--force-confold)
  local log
  log=$(mktemp)
  if ! { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; } </dev/null >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    echo "The packages could not be installed (Mysos is built on Debian 12): ${missing[*]}" >&2
    return 1
  fi
  rm -f "$log"
}

# What one checkout compiled, another may use: the same sources under another path are the same.
CCACHE_BASEDIR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export CCACHE_BASEDIR CCACHE_NOHASHDIR=true
# So that it keeps what was compiled with precompiled headers.
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime

# build PRESET [TARGET...]: configures once, then builds; without work to do it takes a second.
build() {
  local preset=$1
  shift
  local folder=build/$preset targets=()
  [ "$#" -eq 0 ] || targets=(--target "$@")
  if [ ! -f "$folder/build.ninja" ]; then
    cmake --preset "$preset" </dev/null >"/tmp/mysos-configure.$$" 2>&1 || {
      cat "/tmp/mysos-configure.$$" >&2
      rm -f "/tmp/mysos-configure.$$"
      return 1
    }
    rm -f "/tmp/mysos-configure.$$"
  fi
  cmake --build "$folder" -j "$(nproc)" "${targets[@]}" </dev/null
}
