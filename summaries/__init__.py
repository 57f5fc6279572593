"""How units stand: figures from one query, shown as messages."""
