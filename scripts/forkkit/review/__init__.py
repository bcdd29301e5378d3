"""What became of each patch since a revision."""
