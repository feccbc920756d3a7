"""The same job through Amazon Machine Learning: a client of its API, and a local server that speaks it."""
