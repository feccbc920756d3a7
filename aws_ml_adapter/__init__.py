"""Text classification by Amazon Machine Learning: a client of its API, and a local server with the same API."""
