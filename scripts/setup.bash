# What scripts/start and scripts/test both need: system packages, npm packages, the build. Sourced, not run.
# Words go to standard error with the prefix of the CLI. Every step is skipped when its inputs have not changed.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf 'hsm-kms: %s\n' "$*" >&2; }
fail() {
  say "$1"
  shift
  for hint in "$@"; do printf '  %s\n' "$hint" >&2; done
  exit 1
}

# The newest Node.js line that is supported, and the oldest.
require_node() {
  command -v node >/dev/null || fail 'Node.js is not installed' 'Node.js 20.19 or newer is needed: https://nodejs.org/en/download'
  node -e 'const [major, minor] = process.versions.node.split(".").map(Number); process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' ||
    fail "Node.js $(node --version) is too old" 'Node.js 20.19 or newer is needed: https://nodejs.org/en/download'
  command -v npm >/dev/null || fail 'npm is not installed' 'it comes with Node.js, or with the Debian package npm'
}

# Prints how this user runs apt-get: nothing for root, sudo where it asks for no password. Fails where there is no way.
apt_privilege() {
  command -v apt-get >/dev/null || return 1
  [ "$(id -u)" = 0 ] && return 0
  command -v sudo >/dev/null && sudo -n true 2>/dev/null && echo 'sudo -n'
}

# install_packages PACKAGE...: installs Debian packages, or says how and returns 1.
install_packages() {
  local privilege log
  if ! privilege=$(apt_privilege); then
    say "missing packages: $*"
    printf '  %s\n' "install them with: sudo apt-get install -y --no-install-recommends $*" >&2
    return 1
  fi
  say "installing Debian packages: $*"
  log=$(mktemp)
  if DEBIAN_FRONTEND=noninteractive $privilege apt-get install -y -q --no-install-recommends "$@" >"$log" 2>&1 ||
    { $privilege apt-get update -q >>"$log" 2>&1 && DEBIAN_FRONTEND=noninteractive $privilege apt-get install -y -q --no-install-recommends "$@" >>"$log" 2>&1; }; then
    rm -f "$log"
    return 0
  fi
  say "apt-get could not install: $*"
  tail -n 5 "$log" >&2
  rm -f "$log"
  return 1
}

ensure_compiler() {
  local missing=()
  command -v g++ >/dev/null || missing+=(g++)
  command -v make >/dev/null || missing+=(make)
  command -v python3 >/dev/null || missing+=(python3)
  [ ${#missing[@]} = 0 ] || install_packages "${missing[@]}" || fail 'a C++ compiler, make and python3 are needed to build the PKCS#11 addon'
}

softhsm_module() {
  local path
  for path in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so /usr/lib64/softhsm/libsofthsm.so /usr/local/lib/softhsm/libsofthsm2.so; do
    [ -e "$path" ] && return 0
  done
  return 1
}

ensure_softhsm() { softhsm_module || { install_packages softhsm2 && softhsm_module; }; }

# Headers of the running Node.js where they are installed; elsewhere node-gyp downloads them.
use_installed_headers() {
  local prefix version
  version=$(node -p process.versions.node)
  for prefix in "$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")" /usr; do
    if [ -f "$prefix/include/node/node_version.h" ] && [ "$(header_version "$prefix/include/node/node_version.h")" = "$version" ]; then
      export npm_config_nodedir=$prefix
      return
    fi
  done
}

header_version() {
  awk '/^#define NODE_(MAJOR|MINOR|PATCH)_VERSION/ { printf "%s%s", separator, $3; separator = "." }' "$1"
}

# npm ci empties node_modules first, so it runs only when something that the lock file names is not there in that version.
install_npm_packages() {
  local stamp="$root/node_modules/.hsm-kms-installed" wanted
  wanted=$(cd "$root" && { cat package-lock.json; node -p 'process.version + process.arch'; } | sha256sum)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then return; fi
  if ! npm_packages_match; then
    say 'installing npm packages (npm ci)'
    (cd "$root" && npm ci --include=dev --no-audit --no-fund --loglevel=error >&2) ||
      fail 'npm ci failed' 'is the npm registry reachable?' 'its log says more: ~/.npm/_logs'
  fi
  compiled_packages_load ||
    fail 'a package with native code was installed without being compiled' 'allow its install script: npm rebuild better-sqlite3 pkcs11js, or npm approve-scripts'
  printf '%s\n' "$wanted" >"$stamp"
}

npm_packages_match() {
  (cd "$root" && compiled_packages_load 2>/dev/null && node - <<'JS')
const { readFileSync } = require('node:fs');
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const matches = ([path, { version, optional }]) => {
  if (path === '' || optional) return true;
  try {
    return read(`${path}/package.json`).version === version;
  } catch {
    return false;
  }
};
process.exit(Object.entries(read('package-lock.json').packages).every(matches) ? 0 : 1);
JS
}

compiled_packages_load() {
  (cd "$root" && node -e 'require("pkcs11js"); new (require("better-sqlite3"))(":memory:").close()')
}

# set_up: everything a build needs, then the build.
set_up() {
  require_node
  ensure_compiler
  use_installed_headers
  install_npm_packages
  "$root/scripts/build"
}
