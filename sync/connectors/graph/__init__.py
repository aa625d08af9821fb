"""Outlook, through Microsoft Graph v1.0: one mailbox, and the directory of people. Nothing here knows Salesforce or decides anything."""
