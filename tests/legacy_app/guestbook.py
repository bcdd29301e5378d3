# -*- coding: utf-8 -*-
"""A guest book exactly as it would have been written for Flask 0.10.

On Flask 3, it runs only thanks to the restored names. Do not modernise it.
"""
from __future__ import unicode_literals

import datetime
import decimal
import os
import sqlite3
import time

from flask import Blueprint
from flask import Flask
from flask import Markup
from flask import _app_ctx_stack
from flask import _request_ctx_stack
from flask import abort
from flask import escape
from flask import jsonify
from flask import render_template_string
from flask import request
from flask import safe_join
from flask._compat import iteritems
from flask._compat import text_type
from flask.ext.login import LoginManager
from flask.ext.login import UserMixin
from flask.ext.login import current_user
from flask.ext.login import login_required
from flask.ext.login import login_user
from flask.ext.login import logout_user
from flask.json import JSONDecoder
from flask.json import JSONEncoder
from flask.views import MethodView
from werkzeug import secure_filename
from werkzeug.contrib.fixers import ProxyFix
from werkzeug.local import LocalProxy
from werkzeug.security import safe_str_cmp
from werkzeug.urls import url_encode
from werkzeug.urls import url_parse


class Price(object):
    def __init__(self, amount):
        self.amount = decimal.Decimal(amount)


class Encoder(JSONEncoder):
    def default(self, o):
        if isinstance(o, Price):
            return {"price": text_type(o.amount)}
        if isinstance(o, datetime.datetime):
            return o.isoformat()
        return super(Encoder, self).default(o)


class Decoder(JSONDecoder):
    def __init__(self, *args, **kwargs):
        super(Decoder, self).__init__(*args, object_hook=self.hook, **kwargs)

    def hook(self, d):
        return Price(d["price"]) if list(d) == ["price"] else d


class GuestBook(Flask):
    json_decoder = Decoder


class User(UserMixin):
    def __init__(self, id):
        self.id = id


app = GuestBook(__name__)
app.config.update(
    DATABASE=os.environ["GUESTBOOK"],
    JSON_SORT_KEYS=False,
    SECRET_KEY="secret",
)
app.json_encoder = Encoder
app.session_cookie_name = "guest"
app.wsgi_app = ProxyFix(app.wsgi_app)
entries = Blueprint("entries", __name__)
login_manager = LoginManager(app)


def get_db():
    top = _app_ctx_stack.top
    if not hasattr(top, "sqlite_db"):
        top.sqlite_db = sqlite3.connect(app.config["DATABASE"])
    return top.sqlite_db


db = LocalProxy(get_db)


@app.teardown_appcontext
def close_db(exception):
    top = _app_ctx_stack.top
    if hasattr(top, "sqlite_db"):
        top.sqlite_db.close()


@app.before_first_request
def create_table():
    # Slow, so that concurrent requests would find it half done.
    db.execute("CREATE TABLE entry (author, text)")
    db.commit()
    time.sleep(0.5)
    db.execute("INSERT INTO entry VALUES ('host', 'welcome')")
    db.commit()


@entries.before_app_first_request
def log_start():
    db.execute("INSERT INTO entry VALUES ('host', ?)", [app.env])
    db.commit()


@login_manager.user_loader
def load_user(id):
    return User(id)


@app.before_request
def start_clock():
    _request_ctx_stack.top.started = time.time()


@app.after_request
def show_clock(response):
    took = time.time() - _request_ctx_stack.top.started
    response.headers["X-Took"] = "%.3f" % took
    return response


@app.template_filter()
def strong(text):
    return Markup("<strong>%s</strong>") % text


@entries.route("/")
def index():
    rows = db.execute("SELECT author, text FROM entry ORDER BY rowid").fetchall()
    return render_template_string(
        "{% for author, text in rows %}{{ author|strong }}: {{ text }}\n{% endfor %}",
        rows=rows,
    )


class Entries(MethodView):
    decorators = [login_required]

    def post(self):
        text = request.form["text"]
        db.execute("INSERT INTO entry VALUES (?, ?)", [current_user.id, text])
        db.commit()
        return escape(text)


app.add_url_rule("/entries", view_func=Entries.as_view("write"))


@app.route("/login", methods=["POST"])
def login():
    if not safe_str_cmp(request.form["password"], "open"):
        abort(403)
    login_user(User(request.form["name"]))
    return "welcome " + current_user.id


@app.route("/logout")
def logout():
    logout_user()
    return "bye"


@app.route("/prices", methods=["GET", "POST"])
def prices():
    if request.method == "POST":
        sent = request.get_json()
        return jsonify(double=[Price(price.amount * 2) for price in sent["prices"]])
    return jsonify(
        z=Price("1.50"), a=datetime.datetime(2014, 1, 2), m={"b": 1, "a": Markup("<")}
    )


@app.route("/links")
def links():
    url = url_parse(request.args["to"])
    query = sorted(iteritems(url.decode_query().to_dict()))
    return jsonify(host=url.host, back=url_encode(query), address=request.remote_addr)


@app.route("/files/<path:name>")
def files(name):
    return jsonify(path=safe_join("/srv", name), name=secure_filename(name))


app.register_blueprint(entries)
