"""From the queue to the wheel."""
