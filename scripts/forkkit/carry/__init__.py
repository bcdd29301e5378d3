"""What becomes of patches on other files, and why."""
