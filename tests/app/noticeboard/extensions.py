"""The extensions, not yet bound to an application."""

from __future__ import annotations

import pathlib

from flask import redirect
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_caching import Cache
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.orm import DeclarativeBase
from werkzeug.exceptions import Unauthorized

MIGRATIONS = str(pathlib.Path(__file__).with_name("migrations"))


class Base(DeclarativeBase):
    pass


cache = Cache()
csrf = CSRFProtect()
db = SQLAlchemy(model_class=Base)
login_manager = LoginManager()
migrate = Migrate()


@login_manager.unauthorized_handler
def ask_to_log_in() -> ResponseReturnValue:
    """Send a person to the log-in page and tell a program that it is not allowed."""
    if request.blueprint == "api":
        raise Unauthorized("Log in first.")
    return redirect(url_for("accounts.log_in", next=request.full_path.rstrip("?")))
