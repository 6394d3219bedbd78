"""What is remembered: the storage interface, its drivers, the named SQL and the schema's migrations."""
