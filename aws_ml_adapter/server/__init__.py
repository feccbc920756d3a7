"""A local server with Amazon Machine Learning's API, version 2014-12-12."""
