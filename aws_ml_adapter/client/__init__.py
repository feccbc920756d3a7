"""The client of Amazon Machine Learning, and its subcommands."""
