"""Doors to programs beside this one: paperless-ngx, Label Studio, doccano."""
