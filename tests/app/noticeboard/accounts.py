"""Signing up, logging in and out, and one's own page."""

from __future__ import annotations

import typing as t

from flask import Blueprint
from flask import flash
from flask import Flask
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from flask_login import login_user
from flask_login import logout_user
from flask_login import user_logged_in

from .extensions import db
from .forms import LogInForm
from .forms import SignUpForm
from .models import Account

blueprint = Blueprint("accounts", __name__, url_prefix="/accounts")


@blueprint.route("/sign-up", methods=["GET", "POST"])
def sign_up() -> ResponseReturnValue:
    form = SignUpForm()
    if not form.validate_on_submit():
        return render_template("accounts/form.html", form=form, title="Sign up")
    account = Account(name=form.name.data)
    account.set_password(form.password.data)
    db.session.add(account)
    db.session.commit()
    flash(f"Welcome, {account.name}. Now log in.")
    return redirect(url_for(".log_in"))


@blueprint.route("/log-in", methods=["GET", "POST"])
def log_in() -> ResponseReturnValue:
    form = LogInForm()
    if form.validate_on_submit():
        account = Account.named(form.name.data)
        if account and account.has_password(form.password.data):
            login_user(account, remember=form.remember.data)
            flash("You are logged in.")
            return redirect(wanted_page())
        flash("No such name and password.", "error")
    return render_template("accounts/form.html", form=form, title="Log in")


@blueprint.post("/log-out")
@login_required
def log_out() -> ResponseReturnValue:
    logout_user()
    flash("You are logged out.")
    return redirect(url_for("board.index"))


@blueprint.get("/me")
@login_required
def me() -> ResponseReturnValue:
    return render_template("accounts/me.html")


@user_logged_in.connect
def count_visit(_app: Flask, user: Account, **_: t.Any) -> None:
    user.visits += 1
    db.session.commit()


def wanted_page() -> str:
    """The page that required the log-in, if it is on this site."""
    page = request.args.get("next", "")
    # "//host/" and "/\host/" lead a browser away from this site.
    if page.startswith("/") and page[1:2] not in {"/", "\\"}:
        return page
    return url_for("board.index")
