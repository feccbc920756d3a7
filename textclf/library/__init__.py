"""What is known of documents, models and decisions, kept in a database: SQLite, or PostgreSQL for several machines."""
