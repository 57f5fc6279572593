"""Messengers as equals: each channel reads what came in and shows what goes out, behind `domain.chat.Channel`."""
