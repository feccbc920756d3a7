"""What asks: the boto3 side and its commands."""
