"""Doors to programs beside this one: paperless-ngx."""
