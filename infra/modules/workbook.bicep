metadata description = 'The workbook: rounds, records, errors, the slowest people, the use of the vendors\' interfaces.'

@description('Region.')
param location string

@description('Tags.')
param tags { *: string }

@description('Resource id of the Application Insights component.')
param componentId string

@description('A part of the workbook: a heading and the answer to a query.')
type part = {
  @description('Heading.')
  title: string
  @description('Kusto query over the component.')
  query: string
  @description('How the answer is shown.')
  view: 'table' | 'linechart' | 'barchart'
}

@description('The parts, from top to bottom.')
var parts part[] = [
  {
    title: 'Rounds'
    query: loadTextContent('../queries/workbook-rounds.kql')
    view: 'linechart'
  }
  {
    title: 'Records, by kind and what was done with them'
    query: loadTextContent('../queries/workbook-records.kql')
    view: 'table'
  }
  {
    title: 'Records, by direction'
    query: loadTextContent('../queries/workbook-directions.kql')
    view: 'barchart'
  }
  {
    title: 'Errors, by nature'
    query: loadTextContent('../queries/workbook-errors.kql')
    view: 'table'
  }
  {
    title: 'Slowest people'
    query: loadTextContent('../queries/workbook-slowest-users.kql')
    view: 'table'
  }
  {
    title: 'Use of Graph, Salesforce and tables'
    query: loadTextContent('../queries/workbook-api-use.kql')
    view: 'linechart'
  }
]

@description('The choice of the time that everything below is about; a day, unless changed.')
var timeRange = {
  type: 9
  name: 'time'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    queryType: 0
    resourceType: 'microsoft.insights/components'
    parameters: [
      {
        id: guid('tandem', 'workbook', 'time')
        version: 'KqlParameterItem/1.0'
        name: 'TimeRange'
        label: 'Time'
        type: 4
        isRequired: true
        value: {
          durationMs: 86400000
        }
        typeSettings: {
          selectableValues: [
            {
              durationMs: 3600000
            }
            {
              durationMs: 14400000
            }
            {
              durationMs: 86400000
            }
            {
              durationMs: 604800000
            }
            {
              durationMs: 2592000000
            }
          ]
        }
      }
    ]
  }
}

@description('The parts as the workbook format has them.')
var items = [
  for (each, i) in parts: {
    type: 3
    name: 'part-${i + 1}'
    content: {
      version: 'KqlItem/1.0'
      title: each.title
      query: each.query
      size: 0
      timeContextFromParameter: 'TimeRange'
      queryType: 0
      resourceType: 'microsoft.insights/components'
      visualization: each.view
    }
  }
]

@description('The workbook.')
var content = {
  version: 'Notebook/1.0'
  items: concat([timeRange], items)
  fallbackResourceIds: [
    componentId
  ]
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'tandem', 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Tandem'
    category: 'workbook'
    sourceId: componentId
    serializedData: string(content)
  }
}
