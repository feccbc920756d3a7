"""A local server that speaks Amazon Machine Learning's API, version 2014-12-12."""
