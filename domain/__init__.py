"""What the bot talks about, free of any messenger, database or clock."""
