"""The verbs of the maintainer's command: thin wrappers around importable functions."""
