<#
.SYNOPSIS
Lets Tandem's identity into the mailboxes of one group only, by RBAC for Applications in Exchange Online.

.DESCRIPTION
Run it as an Exchange administrator, after grant.sh --narrow. What Exchange gives here adds to what Entra has consented to: with
Contacts.ReadWrite granted in Entra, every mailbox stays open whatever is said here. It can be run again; it makes only what is missing.
Only direct members of the group count. A change can take up to two hours to be noticed.

.PARAMETER AppId
Client id of the managed identity: the output identityClientId of the deployment.

.PARAMETER ObjectId
Object id of the managed identity: the output identityPrincipalId of the deployment.

.PARAMETER Group
Name or address of a mail-enabled security group whose members sync.

.PARAMETER TestMailbox
A mailbox of the group, to show the result for.

.PARAMETER NoCategory
The category is not to be added to mailboxes' lists.

.EXAMPLE
./narrow-mailboxes.ps1 -AppId <client id> -ObjectId <object id> -Group sales@example.com -TestMailbox ann@example.com
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [Parameter(Mandatory)] [guid] $AppId,
    [Parameter(Mandatory)] [guid] $ObjectId,
    [Parameter(Mandatory)] [string] $Group,
    [string] $TestMailbox,
    [switch] $NoCategory
)
$ErrorActionPreference = 'Stop'
if (-not (Get-Command New-ManagementRoleAssignment -ErrorAction SilentlyContinue)) { Connect-ExchangeOnline -ShowBanner:$false }

$scope = 'Tandem mailboxes'
$roles = @('Application Contacts.ReadWrite')
if (-not $NoCategory) { $roles += 'Application MailboxSettings.ReadWrite' }
$members = (Get-DistributionGroup -Identity $Group).DistinguishedName

if (-not (Get-ServicePrincipal | Where-Object AppId -EQ $AppId)) {
    if ($PSCmdlet.ShouldProcess("$AppId", 'make it known to Exchange')) {
        New-ServicePrincipal -AppId $AppId -ObjectId $ObjectId -DisplayName 'Tandem' | Out-Null
    }
}
$filter = "MemberOfGroup -eq '$($members.Replace("'", "''"))'"
if (Get-ManagementScope | Where-Object Name -EQ $scope) {
    if ($PSCmdlet.ShouldProcess($scope, "set to $filter")) { Set-ManagementScope -Identity $scope -RecipientRestrictionFilter $filter }
}
elseif ($PSCmdlet.ShouldProcess($scope, "make with $filter")) {
    New-ManagementScope -Name $scope -RecipientRestrictionFilter $filter | Out-Null
}
foreach ($role in $roles) {
    $name = "Tandem $role"
    if (Get-ManagementRoleAssignment | Where-Object Name -EQ $name) { Write-Output "has: $role"; continue }
    if ($PSCmdlet.ShouldProcess($role, "give for $scope")) {
        New-ManagementRoleAssignment -Name $name -App $ObjectId -Role $role -CustomResourceScope $scope | Out-Null
        Write-Output "given: $role"
    }
}
if ($TestMailbox) { Test-ServicePrincipalAuthorization -Identity $ObjectId -Resource $TestMailbox | Format-Table RoleName, InScope }
