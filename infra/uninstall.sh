#!/usr/bin/env bash
# Takes Tandem away: its Graph permissions, then its resource group with everything in it. Contacts stay where they are, on both sides.
#
#   infra/uninstall.sh RESOURCE_GROUP [--keep-permissions] [--yes]
#
# --keep-permissions  somebody else takes the Graph permissions away (grant.sh --revoke)
# --yes               does not ask for the name of the group
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
group='' permissions=1 yes=''
say() { echo "uninstall: $*"; }
fail() { echo "uninstall: $*" >&2; exit 1; }
while [ $# -gt 0 ]; do
  case $1 in
    --keep-permissions) permissions='' ;;
    --yes) yes=1 ;;
    -*) fail "$1 is not known; see the head of this file" ;;
    *) group=$1 ;;
  esac
  shift
done
[ -n "$group" ] || fail "name the resource group: infra/uninstall.sh RESOURCE_GROUP"
[ "$(az group exists --name "$group")" = true ] || fail "there is no resource group $group"
output() { az deployment group show --resource-group "$group" --name tandem --query "properties.outputs.$1.value" --output tsv; }
app=$(output appName) identity=$(output identityPrincipalId)

echo "These resources go, and with them state, journal, error and run tables and logs:"
az resource list --resource-group "$group" --query '[].[type,name]' --output tsv | sort
echo "The vault stays recoverable for 90 days; nobody can purge it before."
if [ -z "$yes" ]; then
  read -r -p "Write the name of the resource group to go on: " answer
  [ "$answer" = "$group" ] || fail "stopped; nothing was changed"
fi
az functionapp stop --resource-group "$group" --name "$app" --output none
say "$app is stopped"
if [ -n "$permissions" ]; then "$root/infra/graph-permissions/grant.sh" "$identity" --revoke --yes; fi
az group delete --name "$group" --yes --output none
say "resource group $group is deleted"
echo "What is left: the role assignments of narrow-mailboxes.ps1 in Exchange, and the External Client App in Salesforce: docs/deployment.md, Uninstall."
