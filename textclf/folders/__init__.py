"""Filing: scans go from the folders where they arrive to the folders of their categories."""
