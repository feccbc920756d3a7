"""Documents and scans in, predictions out."""
