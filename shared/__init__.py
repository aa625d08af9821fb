"""The vocabulary everybody may import: records, errors, settings, logs. It imports nothing of ours."""
