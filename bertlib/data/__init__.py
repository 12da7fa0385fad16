"""From a folder of txt files to batches."""
