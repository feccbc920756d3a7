"""To come with its own issue: the same job through Amazon ML."""
