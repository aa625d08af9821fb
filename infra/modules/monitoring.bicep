metadata description = 'Where the app writes what it does: Application Insights, which takes telemetry from identities only, on a workspace of its own or of yours.'

@description('Name of the Application Insights component.')
param name string

@description('Name of the workspace, where one is made.')
param workspaceName string

@description('Resource id of an existing workspace; empty: one is made.')
param existingWorkspaceId string

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('Days that logs are kept in a workspace made here.')
param retentionDays int

@description('Gigabytes a day after which a workspace made here takes no more; -1: no cap.')
param dailyCapGb int

@description('Resource id of the identity that writes telemetry.')
param identityId string

@description('Object id of that identity.')
param principalId string

@description('Monitoring Metrics Publisher: sends telemetry and reads none.')
var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' = if (empty(existingWorkspaceId)) {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
    workspaceCapping: {
      dailyQuotaGb: dailyCapGb
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: name
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    WorkspaceResourceId: empty(existingWorkspaceId) ? workspace.id : existingWorkspaceId
  }
}

resource access 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, identityId, metricsPublisher)
  scope: component
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
  }
}

@description('Resource id of the component.')
output id string = component.id

@description('Resource id of the workspace in use.')
output workspaceId string = empty(existingWorkspaceId) ? workspace.id : existingWorkspaceId

@description('Where telemetry is sent. It opens nothing: the component takes telemetry from identities only.')
output connectionString string = component.properties.ConnectionString
