"""How every process speaks to PostgreSQL."""
