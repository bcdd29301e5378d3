"""What knows nothing of the fork."""
