"""Everything said outside a form: commands, cards with buttons, settings."""
