"""The commands of the operator, one module for each noun."""
