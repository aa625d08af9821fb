"""What judges the local stack has to be judged as well."""
