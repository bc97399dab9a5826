"""Database migrations, the same steps on SQLite and PostgreSQL."""
