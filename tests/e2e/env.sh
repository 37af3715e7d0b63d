# Sourced by every script here: where the tools are, and an environment in which none of them calls home.
# shellcheck shell=bash disable=SC2034

E2E=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VENV_SAM=$E2E/.venv-sam
VENV_MINISTACK=$E2E/.venv-ministack
VENV_STORES=$E2E/.venv-stores
VENV_SCHEMATHESIS=$E2E/.venv-schemathesis
VENV_TERRAFORM=$E2E/.venv-terraform
IMAGE=doorward-e2e/provided:al2023

# cargo-lambda looks for Zig beside the first python3 in PATH.
export PATH="$VENV_SAM/bin:$PATH"

# SAM: no telemetry, no look for newer versions; without credentials it asks no STS for the account.
export SAM_CLI_TELEMETRY=0
export __SAM_CLI_APP_DIR="$E2E/.sam-home"
export AWS_EC2_METADATA_DISABLED=true AWS_DEFAULT_REGION=us-east-1 AWS_REGION=us-east-1
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE
mkdir -p "$__SAM_CLI_APP_DIR"
[ -f "$__SAM_CLI_APP_DIR/metadata.json" ] ||
  echo '{"telemetryEnabled": false, "lastVersionCheck": 4102444800.0}' >"$__SAM_CLI_APP_DIR/metadata.json"
