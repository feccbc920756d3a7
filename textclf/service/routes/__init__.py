"""The routes, one module a subject, each with a function that makes its router."""
