"""bertlib: BERT in the open, small enough to read and fast enough to pre-train."""
