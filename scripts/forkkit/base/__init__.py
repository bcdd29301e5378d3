"""General helpers that do not depend on the fork."""
