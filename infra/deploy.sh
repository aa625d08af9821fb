#!/usr/bin/env bash
# Installs or upgrades Tandem: validate → what-if → create → secrets → package → publish → smoke check. It can be run again at any
# time: every step looks first and does what is missing. Needs the Azure CLI, signed in, and python3.
#
#   infra/deploy.sh RESOURCE_GROUP [--parameters FILE] [--key FILE] [--from STEP] [--until STEP] [--yes]
#
# --parameters FILE  default infra/main.bicepparam, which takes what it needs from the environment
# --key FILE         the Salesforce private key as PEM; needed the first time, and to renew it
# --from, --until    one of: validate what-if create secrets package publish smoke
# --yes              does not ask after the what-if
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
steps=(validate what-if create secrets package publish smoke)
group='' parameters=$root/infra/main.bicepparam key='' from=validate until=smoke yes=''
name=tandem
wait=${TANDEM_WAIT:-15} # seconds between two looks

say() { echo "deploy: $*"; }
fail() { echo "deploy: $*" >&2; exit 1; }
place() { local i; for i in "${!steps[@]}"; do [ "${steps[$i]}" = "$1" ] && { echo "$i"; return; }; done; fail "there is no step $1; there are: ${steps[*]}"; }

while [ $# -gt 0 ]; do
  case $1 in
    --parameters) parameters=$2; shift ;;
    --key) key=$2; shift ;;
    --from) from=$2; shift ;;
    --until) until=$2; shift ;;
    --yes) yes=1 ;;
    -*) fail "$1 is not known; see the head of this file" ;;
    *) group=$1 ;;
  esac
  shift
done
[ -n "$group" ] || fail "name the resource group: infra/deploy.sh RESOURCE_GROUP (make deploy GROUP=…)"
first=$(place "$from")
last=$(place "$until")
command -v az >/dev/null || fail "the Azure CLI is missing: https://learn.microsoft.com/cli/azure/install-azure-cli"
subscription=$(az account show --query name --output tsv) || fail "sign in first: az login"
[ "$(az group exists --name "$group")" = true ] || fail "there is no resource group $group: az group create --name $group --location <region>"
say "resource group $group, subscription $subscription"

output() { # of the deployment
  az deployment group show --resource-group "$group" --name "$name" --query "properties.outputs.$1.value" --output tsv
}

step_validate() {
  az deployment group validate --resource-group "$group" --name "$name" --parameters "$parameters" --output none
  say "validate: Azure accepts the templates and parameters"
}

step_what_if() {
  az deployment group what-if --resource-group "$group" --name "$name" --parameters "$parameters"
  [ -n "$yes" ] && return
  read -r -p "deploy: make these changes? [y/N] " answer
  [ "$answer" = y ] || fail "stopped; nothing was changed"
}

step_create() {
  az deployment group create --resource-group "$group" --name "$name" --parameters "$parameters" --output none
  say "create: $(output appName) and what it needs are there"
}

has_secret() { # of the vault; stops where that cannot be told
  local said
  if said=$(az keyvault secret show --vault-name "$vault" --name "$1" --query id --output tsv 2>&1); then return 0; fi
  case $said in
    *SecretNotFound*) return 1 ;;
    *ForbiddenByRbac* | *"not authorized"*)
      fail "secrets: you may not read secrets of $vault. Give yourself the role for the time of the installation, wait a minute, go on with --from secrets:
  az role assignment create --role 'Key Vault Secrets Officer' --assignee \$(az ad signed-in-user show --query id -o tsv) --scope \$(az keyvault show --name $vault --query id -o tsv)" ;;
    *ForbiddenByFirewall* | *"ublic network access is disabled"*)
      fail "secrets: $vault can be reached from its private network only. Go on from a machine inside it, with --from secrets." ;;
    *) fail "secrets: $said" ;;
  esac
}

step_secrets() {
  local vault folder
  vault=$(output vaultName)
  if has_secret hash-key; then
    say "secrets: hash-key is there and is left as it is: another one would mean that everything is compared afresh"
  else
    folder=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$folder'" EXIT
    (umask 077 && python3 -c 'import base64, os, sys; sys.stdout.write(base64.b64encode(os.urandom(32)).decode())' >"$folder/hash-key")
    az keyvault secret set --vault-name "$vault" --name hash-key --file "$folder/hash-key" --output none
    rm -rf "$folder"
    say "secrets: hash-key was made; nobody has seen it"
  fi
  if [ -n "$key" ]; then
    grep -q -- '-----BEGIN .*PRIVATE KEY-----' "$key" || fail "secrets: $key holds no private key in PEM"
    az keyvault secret set --vault-name "$vault" --name salesforce-private-key --file "$key" --output none
    say "secrets: salesforce-private-key was written from $key; keep no copy of that file on this machine"
  elif has_secret salesforce-private-key; then
    say "secrets: salesforce-private-key is there"
  else
    fail "secrets: salesforce-private-key is missing: run again with --from secrets --key FILE (infra/salesforce/README.md makes one)"
  fi
}

step_package() { python3 "$root/infra/package.py"; }

step_publish() {
  local app
  app=$(output appName)
  [ -f "$root/.build/tandem.zip" ] || fail "publish: there is no package: --from package"
  az functionapp deployment source config-zip --resource-group "$group" --name "$app" --src "$root/.build/tandem.zip" --build-remote true --output none
  az functionapp restart --resource-group "$group" --name "$app" --output none # it looks up its secrets anew
  say "publish: the code is on $app"
}

step_smoke() {
  local app id found='' i states
  app=$(output appName)
  id=$(az functionapp show --resource-group "$group" --name "$app" --query id --output tsv)
  for i in $(seq 1 20); do
    found=$(az functionapp function list --resource-group "$group" --name "$app" --query '[].name' --output tsv | sed 's|.*/||' | sort | tr '\n' ' ')
    [ "$found" = "plan_sync sync_user sync_user_poison " ] && break
    [ "$i" = 20 ] && fail "smoke: the app shows these functions: ${found:-none}. Look under Diagnose and solve problems, then: --from smoke"
    sleep "$wait"
  done
  say "smoke: functions $found"
  for i in $(seq 1 20); do
    states=$(az rest --method get --url "$id/config/configreferences/appsettings?api-version=2025-03-01" \
      --query "value[].join(': ', [name, properties.status])" --output tsv | sort)
    [ -n "$states" ] && ! grep -qv ': Resolved$' <<<"$states" && break
    [ "$i" = 20 ] && fail "smoke: the app cannot read its secrets: ${states:-no references}. Is the secret there, has the identity its role? Then: --from smoke"
    sleep "$wait"
  done
  say "smoke: $(tr '\n' ' ' <<<"$states")"
  echo
  echo "Next, by a directory administrator, once:  infra/graph-permissions/grant.sh $(output identityPrincipalId)"
  echo "Then watch a round:                        docs/deployment.md, Verify"
}

for step in "${steps[@]:$first:$((last - first + 1))}"; do "step_${step//-/_}"; done
