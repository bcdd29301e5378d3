"""An application with an extension, as its user would write it."""

from __future__ import annotations

import importlib.metadata
import sys
import typing as t

import flask.app
import flask.sansio.app
import flask.views
from flask import Flask
from flask import render_template_string
from flask_login import current_user
from flask_login import LoginManager

import flaskfork

app = Flask(__name__)
app.secret_key = "secret"
login = LoginManager(app)


@login.user_loader
def load(name: str) -> t.Any:
    return None


class Welcome(flask.views.View):
    def dispatch_request(self) -> str:
        user = "somebody" if current_user.is_authenticated else "nobody"
        return render_template_string("Welcome, {{ user }}", user=user)


app.add_url_rule("/", view_func=Welcome.as_view("welcome"))

if __name__ == "__main__":
    print(app.test_client().get("/").text)
    assert flask.app is flaskfork.app
    for name, module in sys.modules.copy().items():
        # Nuitka keeps a package without a file apart; what is in it is the same.
        if f"{name}.".startswith("flask.") and name != "flask.sansio":
            assert module is sys.modules[f"flaskfork{name[5:]}"], name
    print(*map(importlib.metadata.version, ["Flask"]))
