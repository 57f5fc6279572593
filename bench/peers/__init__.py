"""Textbook bots with the job of ours, written as their documents advise: store each tap durably, acknowledge it."""
