#!/usr/bin/env bash
# Gives the managed identity its Microsoft Graph application permissions: a step of its own, for a directory administrator
# (Privileged Role Administrator or Global Administrator). It says what it will do, asks, and does only what is missing.
#
#   grant.sh IDENTITY [--narrow] [--no-group] [--no-category] [--see-disabled] [--revoke] [--dry-run] [--yes]
#
# IDENTITY        object id of the managed identity: the output identityPrincipalId of the deployment
# --narrow        leaves out what Exchange can give for chosen mailboxes only: see narrow-mailboxes.ps1, which then gives it
# --no-group      people are listed in the table SyncUsers only, so groups need not be read
# --no-category   the category is not added to mailboxes' lists: contacts carry it all the same, without a colour
# --see-disabled  User.Read.All in place of User.ReadBasic.All: people whose account is disabled stop syncing by themselves
# --revoke        takes away every permission of permissions.tsv
# --dry-run       says what it would do, and does nothing
# --yes           does not ask
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
identity='' narrow='' group=1 category=1 disabled='' revoke='' dry='' yes=''
while [ $# -gt 0 ]; do
  case $1 in
    --narrow) narrow=1 ;;
    --no-group) group='' ;;
    --no-category) category='' ;;
    --see-disabled) disabled=1 ;;
    --revoke) revoke=1 ;;
    --dry-run) dry=1 ;;
    --yes) yes=1 ;;
    -*) echo "grant: $1 is not known; see the head of this file" >&2; exit 2 ;;
    *) identity=$1 ;;
  esac
  shift
done
if ! [[ $identity =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]]; then
  echo "grant: give the object id of the managed identity (output identityPrincipalId of the deployment)" >&2
  exit 2
fi

graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
graph=${graph%/}
graph_app=00000003-0000-0000-c000-000000000000 # Microsoft Graph's application id, in every directory and cloud

wanted() { # is this kind of permission to be given?
  case $1 in
    people) [ -z "$disabled" ] ;;
    disabled) [ -n "$disabled" ] ;;
    group) [ -n "$group" ] ;;
    contacts) [ -z "$narrow" ] ;;
    category) [ -n "$category" ] && [ -z "$narrow" ] ;;
    *) false ;; # kinds of a later version
  esac
}

name=$(az rest --method get --url "$graph/v1.0/servicePrincipals/$identity?\$select=displayName" --query displayName --output tsv)
resource=$(az rest --method get --url "$graph/v1.0/servicePrincipals(appId='$graph_app')?\$select=id" --query id --output tsv)
roles=$(az rest --method get --url "$graph/v1.0/servicePrincipals/$resource?\$select=appRoles" \
  --query "appRoles[?contains(allowedMemberTypes, 'Application')].[value,id]" --output tsv)
held=$(az rest --method get --url "$graph/v1.0/servicePrincipals/$identity/appRoleAssignments" \
  --query "value[?resourceId=='$resource'].[appRoleId,id]" --output tsv)

echo "Identity $name ($identity)"
todo=()
while IFS=$'\t' read -r permission kind _ reason; do
  [ "$permission" = permission ] && continue
  role=$(awk -v name="$permission" '$1 == name { print $2 }' <<<"$roles")
  assignment=$(awk -v role="$role" '$1 == role { print $2 }' <<<"$held")
  if [ -n "$revoke" ]; then
    [ -n "$assignment" ] && { echo "  take away  $permission"; todo+=("delete $permission $assignment"); }
  elif wanted "$kind"; then
    if [ -n "$assignment" ]; then
      echo "  has        $permission"
    elif [ -z "$role" ]; then
      echo "grant: this cloud has no application permission $permission" >&2
      exit 1
    else
      echo "  give       $permission – $reason"
      todo+=("post $permission $role")
    fi
  elif [ -n "$assignment" ]; then
    echo "  too much   $permission – has it, and does not need it as you chose; --revoke takes all away"
  fi
done < <(sed 's/\t\t/\t-\t/' "$here/permissions.tsv")

if [ ${#todo[@]} -eq 0 ]; then
  echo "Nothing to do."
  exit 0
fi
[ -n "$dry" ] && { echo "Nothing was done (--dry-run)."; exit 0; }
if [ -z "$yes" ]; then
  read -r -p "Do this? [y/N] " answer
  [ "$answer" = y ] || { echo "Nothing was done."; exit 1; }
fi
for each in "${todo[@]}"; do
  read -r method permission id <<<"$each"
  if [ "$method" = post ]; then
    az rest --method post --url "$graph/v1.0/servicePrincipals/$identity/appRoleAssignments" --headers Content-Type=application/json \
      --body "{\"principalId\":\"$identity\",\"resourceId\":\"$resource\",\"appRoleId\":\"$id\"}" --output none
    echo "given: $permission"
  else
    az rest --method delete --url "$graph/v1.0/servicePrincipals/$identity/appRoleAssignments/$id" --output none
    echo "taken away: $permission"
  fi
done
echo "Done. A running app notices when its token is renewed: within a day, or at once after az functionapp restart."
