"""Amazon S3 on the port of the server."""
