"""From the bytes of a scan to a cleaned `Document`; knows no category and no model."""
