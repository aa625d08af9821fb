metadata description = 'Optional: a virtual network that is the only way to storage and vault, with one private endpoint each for blobs, queues, tables and the vault.'

@description('Name of the network.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('Address space, a /24 or larger.')
param addressPrefix string

@description('Resource id of the storage account.')
param storageId string

@description('Name of the storage account.')
param storageName string

@description('Resource id of the vault.')
param vaultId string

@description('Name of the vault.')
param vaultName string

@description('Domain of storage and of the vault in this cloud.')
var domains = {
  storage: environment().suffixes.storage
  vault: replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')
}

@description('What gets an endpoint, and the private zone that answers for its name.')
var targets = [
  {
    name: '${storageName}-blob'
    id: storageId
    group: 'blob'
    zone: 'privatelink.blob.${domains.storage}'
  }
  {
    name: '${storageName}-queue'
    id: storageId
    group: 'queue'
    zone: 'privatelink.queue.${domains.storage}'
  }
  {
    name: '${storageName}-table'
    id: storageId
    group: 'table'
    zone: 'privatelink.table.${domains.storage}'
  }
  {
    name: '${vaultName}-vault'
    id: vaultId
    group: 'vault'
    zone: 'privatelink${domains.vault}'
  }
]

resource appRules 'Microsoft.Network/networkSecurityGroups@2026-03-01' = {
  name: '${name}-app'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'nobody-comes-in'
        properties: {
          access: 'Deny'
          direction: 'Inbound'
          priority: 4000
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource endpointRules 'Microsoft.Network/networkSecurityGroups@2026-03-01' = {
  name: '${name}-endpoints'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'https-from-the-network'
        properties: {
          access: 'Allow'
          direction: 'Inbound'
          priority: 100
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: 'VirtualNetwork'
          destinationPortRange: '443'
        }
      }
      {
        name: 'nothing-else'
        properties: {
          access: 'Deny'
          direction: 'Inbound'
          priority: 4000
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2026-03-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [
        addressPrefix
      ]
    }
  }
}

// Flex Consumption: delegated to Microsoft.App/environments, /27 at least, no underscore in its name, no endpoint in it.
resource appSubnet 'Microsoft.Network/virtualNetworks/subnets@2026-03-01' = {
  parent: network
  name: 'app'
  properties: {
    addressPrefix: cidrSubnet(addressPrefix, 26, 0)
    networkSecurityGroup: {
      id: appRules.id
    }
    delegations: [
      {
        name: 'functions'
        properties: {
          serviceName: 'Microsoft.App/environments'
        }
      }
    ]
  }
}

// Subnets of one network are written one after the other: the network refuses two at once.
resource endpointSubnet 'Microsoft.Network/virtualNetworks/subnets@2026-03-01' = {
  parent: network
  name: 'endpoints'
  properties: {
    addressPrefix: cidrSubnet(addressPrefix, 26, 1)
    privateEndpointNetworkPolicies: 'Enabled'
    networkSecurityGroup: {
      id: endpointRules.id
    }
  }
  dependsOn: [
    appSubnet
  ]
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for target in targets: {
    name: target.zone
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (target, i) in targets: {
    parent: zone[i]
    name: name
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: network.id
      }
    }
  }
]

module endpoint 'endpoint.bicep' = [
  for (target, i) in targets: {
    params: {
      name: target.name
      location: location
      tags: tags
      subnetId: endpointSubnet.id
      targetId: target.id
      group: target.group
      zoneId: zone[i].id
    }
  }
]

@description('Resource id of the subnet the app goes out through.')
output appSubnetId string = appSubnet.id
