"""What does it cost? Measurements that the command line prints."""
