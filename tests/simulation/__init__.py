"""A whole department's day in about a second: the production code on a virtual clock, driven and harmed by one seed."""
