"""What the bot says: pure functions from what came in and what is known to what is stored and said."""
