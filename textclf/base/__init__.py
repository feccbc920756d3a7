"""Ground floor, which imports nothing of the rest: errors, atomic files, tables in all their dialects, jobs."""

__version__ = "0.1.0"
