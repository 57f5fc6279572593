"""Conversations and commands: what the bot does when somebody says something."""
