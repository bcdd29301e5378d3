"""The board for programs. A write needs the header ``X-CSRFToken``."""

from __future__ import annotations

import typing as t

from flask import abort
from flask import Blueprint
from flask import jsonify
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from flask.views import MethodView
from flask_login import current_user
from flask_login import login_required
from flask_wtf.csrf import generate_csrf

from .extensions import db
from .models import Notice

blueprint = Blueprint("api", __name__, url_prefix="/api")


class Notices(MethodView):
    def get(self) -> ResponseReturnValue:
        page = db.paginate(Notice.newest_first(), max_per_page=50)
        return {
            "notices": [as_json(notice) for notice in page],
            "total": page.total,
            "next": url_for(".notices", page=page.next_num) if page.has_next else None,
        }

    @login_required
    def post(self) -> ResponseReturnValue:
        given = request.get_json()
        if not isinstance(given, dict) or not all(
            isinstance(given.get(key), str) for key in ("title", "body")
        ):
            abort(422, "A notice is an object with the strings title and body.")
        notice = Notice(
            title=given["title"], body=given["body"], author_id=current_user.id
        )
        db.session.add(notice)
        db.session.commit()
        here = url_for(".notice", id=notice.id)
        return as_json(notice), 201, {"Location": here}


class OneNotice(MethodView):
    init_every_request = False

    def get(self, id: int) -> ResponseReturnValue:  # noqa: A002
        return as_json(db.get_or_404(Notice, id))


blueprint.add_url_rule("/notices", view_func=Notices.as_view("notices"))
blueprint.add_url_rule("/notices/<int:id>", view_func=OneNotice.as_view("notice"))


@blueprint.get("/me")
@login_required
def me() -> ResponseReturnValue:
    return jsonify(name=current_user.name, csrf_token=generate_csrf())


def as_json(notice: Notice) -> dict[str, t.Any]:
    return {
        "id": notice.id,
        "title": notice.title,
        "body": notice.body,
        "author": notice.author.name,
        "posted": notice.posted.isoformat(timespec="seconds"),
    }
