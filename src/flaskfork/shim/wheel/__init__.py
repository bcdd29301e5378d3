"""The shim wheel: the distribution named Flask whose package is the fork."""
