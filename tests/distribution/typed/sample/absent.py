"""Names that only the fork has: type checkers know none under upstream's name."""

from __future__ import annotations

import flask
import flask.provenance
import flask.shim.wheel
from flask import provenance
from flask import shim
from flask.app import swap
from flask.cli import provenance as of_cli
from flask.provenance import Provenance
from flask.shim import install

reveal_type(flask.provenance)
reveal_type(flask.shim.install)
reveal_type(provenance.load())
reveal_type(shim)
reveal_type(swap)
reveal_type(of_cli)
reveal_type(Provenance)
reveal_type(install)
