"""The whole program, as a process, spoken to from outside."""
