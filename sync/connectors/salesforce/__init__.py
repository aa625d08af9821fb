"""Salesforce over REST: the only code that speaks to it. It knows neither Outlook nor any store."""
