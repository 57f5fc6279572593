"""What nobody asked for: ticks, which do what is due, and delivery, which sends what was written."""
