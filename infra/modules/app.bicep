metadata description = 'The function app on Flex Consumption: Python, one identity for everything, all settings, and a cap on how far it scales.'

@description('Name of the function app.')
param name string

@description('Name of its plan. Flex Consumption takes one app to a plan.')
param planName string

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('Resource id of the identity.')
param identityId string

@description('Client id of the identity.')
param identityClientId string

@description('Name of the storage account.')
param storageName string

@description('Addresses of the storage services.')
param storageEndpoints { blob: string, queue: string, table: string }

@description('Address of the container with the package.')
param packagesUri string

@description('Name of the vault.')
param vaultName string

@description('Where telemetry is sent.')
param telemetryConnectionString string

@description('Resource id of the subnet the app goes out through; empty: none.')
param subnetId string

@description('Whether this is the public cloud: elsewhere the storage services are named one by one.')
param publicCloud bool

@description('Origin of Microsoft Graph.')
param graphEndpoint string

@description('The settings of the product that an installation decides on, by name.')
param productSettings {
  SALESFORCE_LOGIN_URL: string
  SALESFORCE_AUDIENCE: string
  SALESFORCE_CLIENT_ID: string
  SALESFORCE_USERNAME: string
  SYNC_SCHEDULE: string
  SYNC_ENABLED: string
  SYNC_GROUP_ID: string
}

@description('Memory of an instance in MB.')
param instanceMemoryMB 512 | 2048 | 4096

@description('The most instances at a time, of each function.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@description('How the storage account is named: accountName does not work in sovereign clouds.')
var storageAddress = publicCloud
  ? {
      AzureWebJobsStorage__accountName: storageName
    }
  : {
      AzureWebJobsStorage__blobServiceUri: storageEndpoints.blob
      AzureWebJobsStorage__queueServiceUri: storageEndpoints.queue
      AzureWebJobsStorage__tableServiceUri: storageEndpoints.table
    }

@description('All settings: a write of them replaces what was there.')
var settings = union(storageAddress, productSettings, {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AZURE_CLIENT_ID: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: telemetryConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identityClientId}'
  GRAPH_ENDPOINT: graphEndpoint
  SALESFORCE_PRIVATE_KEY: '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=salesforce-private-key)'
  SYNC_HASH_KEY: '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=hash-key)'
})

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      remoteDebuggingEnabled: false
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packagesUri
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: settings
}

resource publishingByFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource publishingByPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

@description('Resource id.')
output id string = app.id

@description('Name.')
output name string = app.name
