"""Puts the shim wheel into an environment, keeps it there, and takes it out again."""
