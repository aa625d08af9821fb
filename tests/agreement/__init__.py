"""What is written down twice says the same: settings, errors, events, modules; and nothing of a workplace is in the files."""
