"""The only code that speaks HTTP: Outlook through Microsoft Graph, Salesforce through its REST API. Neither knows the other."""
