metadata description = 'Alerts over the app\'s own log lines, each with the action group that mails the administrators.'

@description('Prefix of the names.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('Resource id of the Application Insights component.')
param componentId string

@description('Mail addresses that are told.')
@minLength(1)
param emails string[]

@description('Time without a round after which somebody is told.')
param silence 'PT30M' | 'PT1H' | 'PT2H' | 'PT6H' | 'P1D'

@description('Salesforce calls a day the sync may make.')
@minValue(100)
param salesforceCallsPerDay int

@description('How a rule judges the rows of its query.')
type measure = {
  @description('Count of rows, or Total of a column.')
  aggregation: 'Count' | 'Total'
  @description('The column that is added up; empty for Count.')
  column: string
  @description('Comparison.')
  operator: 'GreaterThan' | 'LessThan'
  @description('What is compared with.')
  threshold: int
}

@description('A rule over a query.')
type rule = {
  @description('Last part of its name.')
  name: string
  @description('One line that says what is wrong.')
  title: string
  @description('What to do.')
  advice: string
  @description('0 critical to 4 verbose.')
  @minValue(0)
  @maxValue(4)
  severity: int
  @description('Kusto query over the component.')
  query: string
  @description('How far back the query looks.')
  window: string
  @description('How often it is asked.')
  frequency: string
  @description('When it fires.')
  measure: measure
}

@description('Fires on any row.')
var anyRow measure = {
  aggregation: 'Count'
  column: ''
  operator: 'GreaterThan'
  threshold: 0
}

@description('Every alert of the product.')
var rules rule[] = [
  {
    name: 'user-failing'
    title: 'The sync of a person has failed for more than an hour'
    advice: 'Open the table SyncErrors at the person\'s object id: the row says what stands in the way and who can mend it.'
    severity: 2
    query: loadTextContent('../queries/alert-user-failing.kql')
    window: 'PT6H'
    frequency: 'PT15M'
    measure: anyRow
  }
  {
    name: 'people-waiting'
    title: 'A question has waited for people for more than a day'
    advice: 'Look at SyncConflicts and SyncApprovals, State = waiting: write the decision into the column Decision.'
    severity: 3
    query: loadTextContent('../queries/alert-people-waiting.kql')
    window: 'P1D'
    frequency: 'PT1H'
    measure: anyRow
  }
  {
    name: 'poison-messages'
    title: 'A message of the queue sync-users failed as often as the host allows'
    advice: 'Look up the operation id in Application Insights for the exception. The next round tries the person again.'
    severity: 2
    query: loadTextContent('../queries/alert-poison-messages.kql')
    window: 'PT15M'
    frequency: 'PT15M'
    measure: anyRow
  }
  {
    name: 'salesforce-budget'
    title: 'More than 80 % of the day\'s Salesforce calls are used'
    advice: 'See the workbook for who uses them. Space the rounds (SYNC_SCHEDULE) or raise salesforceCallsPerDay if the org allows more.'
    severity: 2
    query: loadTextContent('../queries/alert-salesforce-budget.kql')
    window: 'P1D'
    frequency: 'PT1H'
    measure: {
      aggregation: 'Total'
      column: 'calls'
      operator: 'GreaterThan'
      threshold: salesforceCallsPerDay * 8 / 10
    }
  }
  {
    name: 'no-round'
    title: 'No round of the sync was planned for too long'
    advice: 'Look for RoundFailed and SettingInvalid in the log; if there is nothing at all, the app does not start: see Diagnose and solve problems.'
    severity: 1
    query: loadTextContent('../queries/alert-no-round.kql')
    window: silence
    frequency: silence == 'PT30M' ? 'PT5M' : 'PT15M'
    measure: {
      aggregation: 'Count'
      column: ''
      operator: 'LessThan'
      threshold: 1
    }
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${name}-administrators'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'tandem'
    enabled: true
    emailReceivers: [
      for (email, i) in emails: {
        name: 'mail-${i + 1}'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

// skipQueryValidation: a workspace that has received nothing yet lacks the tables. No dimensions: silence makes no series.
resource alert 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for each in rules: {
    name: '${name}-${each.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Tandem: ${each.title}'
      description: each.advice
      severity: each.severity
      enabled: true
      autoMitigate: true
      skipQueryValidation: true
      scopes: [
        componentId
      ]
      evaluationFrequency: each.frequency
      windowSize: each.window
      criteria: {
        allOf: [
          {
            query: each.query
            timeAggregation: each.measure.aggregation
            metricMeasureColumn: empty(each.measure.column) ? null : each.measure.column
            operator: each.measure.operator
            threshold: each.measure.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [
          people.id
        ]
      }
    }
  }
]
