"""Says something."""
