"""What changes the queue, with stop and resume."""
