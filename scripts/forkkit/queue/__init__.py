"""Patches as files and as commits."""
