metadata description = 'Tandem in a resource group of yours: identity, storage, vault, monitoring, app, alerts, workbook and, if wanted, a private network.'

targetScope = 'resourceGroup'

@description('Beginning of the names.')
@minLength(3)
@maxLength(12)
param name string = 'tandem'

@description('Region; it must offer Flex Consumption.')
param location string = resourceGroup().location

@description('Tags for everything.')
param tags { *: string } = {}

@description('Name of the azd environment; empty without azd.')
param azdEnvironment string = ''

@description('The Microsoft cloud: it decides the address of Graph.')
param cloud 'global' | 'usGovernment' | 'usDefense' | 'china' = 'global'

@description('Origin where Salesforce logs in: your My Domain, or https://login.salesforce.com.')
param salesforceLoginUrl string = 'https://login.salesforce.com'

@description('Audience of the login; empty: it follows from the login address.')
param salesforceAudience string = ''

@description('Consumer key of the External Client App.')
param salesforceClientId string

@description('Username of the integration user.')
param salesforceUsername string

@description('Object id of the Entra group whose members sync; empty: only the list in the table SyncUsers.')
param syncGroupId string = ''

@description('When rounds start: NCRONTAB, six fields, UTC.')
param syncSchedule string = '0 */5 * * * *'

@description('Whether the engine runs. The first deployment may leave it off until the Graph permissions are granted.')
param syncEnabled bool = true

@description('Mail addresses that alerts go to.')
@minLength(1)
param alertEmails string[]

@description('Time without a round after which an alert fires; longer than the time between two rounds.')
param alertAfterSilence 'PT30M' | 'PT1H' | 'PT2H' | 'PT6H' | 'P1D' = 'PT30M'

@description('Salesforce calls a day the sync may make; at 80 % an alert fires.')
@minValue(100)
param salesforceCallsPerDay int = 50000

@description('Memory of an instance in MB.')
param instanceMemoryMB 512 | 2048 | 4096 = 2048

@description('The most instances at a time, of each function.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Redundancy of the storage account.')
param storageSku 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS' = 'Standard_ZRS'

@description('Resource id of an existing Log Analytics workspace; empty: one is made.')
param workspaceId string = ''

@description('Days that logs are kept in a workspace made here.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Gigabytes a day after which a workspace made here takes no more; -1: no cap.')
@minValue(-1)
param logDailyCapGb int = 5

@description('Whether storage and vault are reached through a private network only.')
param privateNetwork bool = false

@description('Address space of that network, a /24 or larger.')
param networkAddressPrefix string = '10.42.0.0/24'

@description('What makes names unique and stays the same for a resource group.')
var token = uniqueString(subscription().id, resourceGroup().id, name)

@description('Name of the storage account, which knows letters and digits only.')
var storageName = take('${replace(toLower(name), '-', '')}${token}', 24)

@description('Name of the vault, at most 24 characters.')
var vaultName = 'kv-${take(toLower(name), 7)}-${token}'

@description('Resource id of the identity, known before it is made: what-if can then tell the names of role assignments.')
var identityId = resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', '${name}-identity')

@description('Where Microsoft Graph is, by cloud.')
var graphEndpoints = {
  global: 'https://graph.microsoft.com'
  usGovernment: 'https://graph.microsoft.us'
  usDefense: 'https://dod-graph.microsoft.us'
  china: 'https://microsoftgraph.chinacloudapi.cn'
}

@description('The tags, and what azd finds its environment by.')
var allTags = union(tags, empty(azdEnvironment) ? {} : { 'azd-env-name': azdEnvironment })

module identity 'modules/identity.bicep' = {
  params: {
    name: '${name}-identity'
    location: location
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    name: '${name}-insights'
    workspaceName: '${name}-logs'
    existingWorkspaceId: workspaceId
    location: location
    tags: allTags
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
    identityId: identityId
    principalId: identity.outputs.principalId
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: storageName
    location: location
    tags: allTags
    identityId: identityId
    principalId: identity.outputs.principalId
    privateNetwork: privateNetwork
    sku: storageSku
  }
}

module vault 'modules/vault.bicep' = {
  params: {
    name: vaultName
    location: location
    tags: allTags
    identityId: identityId
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    privateNetwork: privateNetwork
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  params: {
    name: '${name}-network'
    location: location
    tags: allTags
    addressPrefix: networkAddressPrefix
    storageId: storage.outputs.id
    storageName: storageName
    vaultId: vault.outputs.id
    vaultName: vaultName
  }
}

module app 'modules/app.bicep' = {
  params: {
    name: '${name}-${token}'
    planName: '${name}-plan'
    location: location
    tags: union(allTags, { 'azd-service-name': 'tandem' })
    identityId: identityId
    identityClientId: identity.outputs.clientId
    storageName: storageName
    storageEndpoints: storage.outputs.endpoints
    packagesUri: storage.outputs.packagesUri
    vaultName: vault.outputs.name
    telemetryConnectionString: monitoring.outputs.connectionString
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    publicCloud: cloud == 'global'
    graphEndpoint: graphEndpoints[cloud]
    productSettings: {
      SALESFORCE_LOGIN_URL: salesforceLoginUrl
      SALESFORCE_AUDIENCE: salesforceAudience
      SALESFORCE_CLIENT_ID: salesforceClientId
      SALESFORCE_USERNAME: salesforceUsername
      SYNC_SCHEDULE: syncSchedule
      SYNC_ENABLED: syncEnabled ? 'true' : 'false'
      SYNC_GROUP_ID: syncGroupId
    }
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
  }
}

module alerts 'modules/alerts.bicep' = {
  params: {
    name: name
    location: location
    tags: allTags
    componentId: monitoring.outputs.id
    emails: alertEmails
    silence: alertAfterSilence
    salesforceCallsPerDay: salesforceCallsPerDay
  }
}

module workbook 'modules/workbook.bicep' = {
  params: {
    location: location
    tags: allTags
    componentId: monitoring.outputs.id
  }
}

@description('Name of the function app.')
output appName string = app.outputs.name

@description('Name of the vault that waits for the secrets salesforce-private-key and hash-key.')
output vaultName string = vault.outputs.name

@description('Name of the storage account with the tables.')
output storageName string = storageName

@description('Name of the Application Insights component.')
output insightsName string = '${name}-insights'

@description('Object id of the identity that the Graph permissions are granted to.')
output identityPrincipalId string = identity.outputs.principalId

@description('Client id of the identity, for RBAC for Applications in Exchange Online.')
output identityClientId string = identity.outputs.clientId
