"""Pure translation: vendor JSON ⇄ record. No IO; what a kind of record is, is said here and nowhere else."""
