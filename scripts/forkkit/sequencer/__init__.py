"""Everything that changes the queue, with stop and resume."""
