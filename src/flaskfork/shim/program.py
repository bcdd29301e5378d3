"""What the commands ``flaskfork`` and ``flask`` run.

Importing this activates the shim, so that the application that the command loads, and
its extensions, get the fork when they import ``flask``.
"""

from __future__ import annotations

from ..cli import main as main
