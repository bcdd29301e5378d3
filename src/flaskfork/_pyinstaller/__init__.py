"""Hooks that let PyInstaller freeze an application that runs on the fork."""

from __future__ import annotations

import pathlib


def hook_dirs() -> list[str]:
    """The folders with hooks; the entry point ``pyinstaller40`` names this function."""
    return [str(pathlib.Path(__file__).parent)]
