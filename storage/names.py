"""The names under which the program remembers things of its own, see `storage.changes.Note`."""

DISK_ACCESS = "disk access"
"""The token of the Yandex Disk that the owner sent; it counts before that of the configuration."""

BACKUP_FIGURES = "backup figures"
"""How the backups fare, as JSON of `migrebot.reports.backups.Figures`."""
