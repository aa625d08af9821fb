// The least that has to be given: what an installation without a wish of its own looks like.
using '../main.bicep'

param salesforceClientId = '3MVG9example'
param salesforceUsername = 'integration@example.com'
param alertEmails = ['admin@example.com']
