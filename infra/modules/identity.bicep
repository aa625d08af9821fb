metadata description = 'The identity the function app acts as: in storage, vault and monitoring here, and in Microsoft Graph after the separate grant.'

@description('Name of the identity.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Object id of its service principal: what roles and Graph permissions are given to.')
output principalId string = identity.properties.principalId

@description('Client id: what the app names it by.')
output clientId string = identity.properties.clientId
