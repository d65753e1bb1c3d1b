"""Database engines: the only place, with the dashboard's snapshot module, that knows a database."""
