"""Pure decisions: no IO, no clock, no environment, no logging. Values in, values out."""
