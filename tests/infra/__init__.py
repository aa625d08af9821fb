"""What is deployed: the templates, the package, the queries and the Salesforce source directory, each held to the code."""
