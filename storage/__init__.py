"""Everything that lasts: tables, migrations, and one module of query functions per noun."""
