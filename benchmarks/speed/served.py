"""The application of a workload, for a server: named by two environment variables."""

import importlib
import os

_apps = importlib.import_module(f"speed.apps.{os.environ['SPEED_MODULE']}")
app = {**_apps.WSGI, **_apps.ASGI}[os.environ["SPEED_WORKLOAD"]]()
