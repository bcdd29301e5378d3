"""Releases of Flask, each checked by hash."""
