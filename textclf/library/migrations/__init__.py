"""The changes of the tables from version to version, which Alembic applies when a library is opened."""
