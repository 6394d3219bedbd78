"""Reminders: what is said and when, phrases people use for it, and the instants that follow. Pure."""
