"""What the commands ``flaskfork`` and ``flask`` run.

Importing it has activated the shim, so that the application which the command loads,
and its extensions, get the fork for ``flask``.
"""

from __future__ import annotations

from ..cli import main as main
