"""The pages: static files, and the few words that are theirs and not the bot's."""
