"""What to know before training: data check, near-duplicates, keyword gain, tuning."""
