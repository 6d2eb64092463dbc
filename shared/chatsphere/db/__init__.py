"""PostgreSQL: one connection, one unit of work, and the migrations."""
