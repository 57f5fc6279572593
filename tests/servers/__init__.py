"""Local stand-ins for the services that the bot talks to, over real HTTP."""
