"""What the person who runs the bot tells everybody: the texts, who gets them, and when."""
