"""Strict stand-ins for Microsoft Graph and Salesforce. They refuse what the real services refuse."""
