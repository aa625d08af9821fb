// A private network, a workspace that exists already, and a cloud of its own.
using '../main.bicep'

param name = 'crm-sync'
param tags = { costCenter: '4711' }
param azdEnvironment = 'production'
param cloud = 'usGovernment'
param salesforceLoginUrl = 'https://example.my.salesforce.com'
param salesforceAudience = 'https://login.salesforce.com'
param salesforceClientId = '3MVG9example'
param salesforceUsername = 'integration@example.com'
param syncGroupId = '00000000-0000-4000-8000-00000000000f'
param syncSchedule = '0 0 * * * *'
param syncEnabled = false
param alertEmails = ['admin@example.com', 'second@example.com']
param alertAfterSilence = 'PT2H'
param salesforceCallsPerDay = 20000
param instanceMemoryMB = 512
param maximumInstanceCount = 10
param storageSku = 'Standard_LRS'
param workspaceId = '/subscriptions/00000000-0000-4000-8000-0000000000a1/resourceGroups/shared/providers/Microsoft.OperationalInsights/workspaces/company'
param privateNetwork = true
param networkAddressPrefix = '10.99.0.0/24'
