// Every parameter of the installation. Copy what you change; what is left as it is here is the default of main.bicep.
// A name in readEnvironmentVariable can be given in the environment instead (azd does so with its own).
using 'main.bicep'

// Beginning of the names of all resources: 3 to 12 letters, digits and dashes.
param name = readEnvironmentVariable('TANDEM_NAME', 'tandem')

// Region. It must offer Flex Consumption: az functionapp list-flexconsumption-locations
param location = readEnvironmentVariable('AZURE_LOCATION', 'westeurope')

// Tags for every resource, for example { costCenter: '4711' }.
param tags = {}

// Name of the azd environment; azd sets it.
param azdEnvironment = readEnvironmentVariable('AZURE_ENV_NAME', '')

// The Microsoft cloud: global (also GCC), usGovernment (GCC High), usDefense (DoD) or china.
param cloud = 'global'

// Where Salesforce logs in: https://<your domain>.my.salesforce.com, for a sandbox https://<domain>--<sandbox>.sandbox.my.salesforce.com.
param salesforceLoginUrl = readEnvironmentVariable('SALESFORCE_LOGIN_URL', 'https://login.salesforce.com')

// Audience of the login. Empty: https://test.salesforce.com for a sandbox address, else https://login.salesforce.com.
param salesforceAudience = ''

// Consumer key of the External Client App (infra/salesforce/README.md). Not a secret; the private key goes into the vault.
param salesforceClientId = readEnvironmentVariable('SALESFORCE_CLIENT_ID')

// Username of the integration user, who looks up Salesforce users and nothing else.
param salesforceUsername = readEnvironmentVariable('SALESFORCE_USERNAME')

// Object id of the Entra group whose members sync. Empty: only who is enabled in the table SyncUsers.
param syncGroupId = readEnvironmentVariable('SYNC_GROUP_ID', '')

// When rounds start: second minute hour day month weekday, UTC. Every five minutes.
param syncSchedule = '0 */5 * * * *'

// false switches the whole engine off: no round starts, queued work is dropped, edits wait on their own side.
param syncEnabled = readEnvironmentVariable('SYNC_ENABLED', 'true') == 'true'

// Who is mailed by alerts: addresses with commas between them.
param alertEmails = split(readEnvironmentVariable('TANDEM_ALERT_EMAILS'), ',')

// Time without a round after which an alert fires: PT30M, PT1H, PT2H, PT6H or P1D; longer than the time between two rounds.
param alertAfterSilence = 'PT30M'

// Salesforce calls a day that the sync may make; at 80 % an alert fires. The org's own limit: Setup, Company Information, API Requests.
param salesforceCallsPerDay = 50000

// Memory of an instance: 512, 2048 or 4096 MB. A run holds a page of records at a time, whatever the size of the mailbox.
param instanceMemoryMB = 2048

// The most instances at a time, of each of the three functions: the cap on cost, and on what hits Graph and Salesforce.
param maximumInstanceCount = 40

// Redundancy of storage: Standard_LRS, Standard_ZRS, Standard_GRS or Standard_GZRS. Not every region has zones.
param storageSku = 'Standard_ZRS'

// Resource id of a Log Analytics workspace of yours. Empty: one is made, with the two settings below.
param workspaceId = readEnvironmentVariable('TANDEM_WORKSPACE_ID', '')

// Days that logs are kept, 30 to 730.
param logRetentionDays = 30

// Gigabytes a day after which the workspace takes no more; -1: no cap.
param logDailyCapGb = 5

// true: storage and vault can be reached through a virtual network of their own only (docs/deployment.md, Private network).
param privateNetwork = false

// Address space of that network, a /24 or larger.
param networkAddressPrefix = '10.42.0.0/24'
