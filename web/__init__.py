"""The HTTP side: web chat, messengers' webhooks, the demonstration page, health and metrics."""
