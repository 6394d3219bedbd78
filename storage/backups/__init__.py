"""Backups: a compressed SQLite file each, made of either kind of database and restored into either kind."""
