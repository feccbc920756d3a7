"""The pages of the service for a browser: sign in, drop, review, first labels, teach and audit."""
