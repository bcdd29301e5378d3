"""The board itself: its pages for people."""

from __future__ import annotations

from flask import abort
from flask import Blueprint
from flask import current_app
from flask import flash
from flask import redirect
from flask import render_template
from flask import send_file
from flask import url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_login import login_required

from .extensions import cache
from .extensions import db
from .forms import NoticeForm
from .models import Account
from .models import Notice

blueprint = Blueprint("board", __name__)


@blueprint.get("/")
def index() -> ResponseReturnValue:
    page = db.paginate(
        Notice.newest_first(), per_page=current_app.config["NOTICES_PER_PAGE"]
    )
    return render_template("board/index.html", page=page)


@blueprint.route("/notices/new", methods=["GET", "POST"])
@login_required
def new() -> ResponseReturnValue:
    form = NoticeForm()
    if not form.validate_on_submit():
        return render_template("board/new.html", form=form)
    notice = Notice(
        title=form.title.data, body=form.body.data, author_id=current_user.id
    )
    db.session.add(notice)
    db.session.commit()
    flash(f"“{notice.title}” is on the board.")
    return redirect(url_for(".show", id=notice.id))


@blueprint.get("/notices/<int:id>/")
def show(id: int) -> ResponseReturnValue:  # noqa: A002
    notice = db.get_or_404(Notice, id, description="That notice was taken down.")
    return render_template("board/show.html", notice=notice)


@blueprint.post("/notices/<int:id>/remove")
@login_required
def remove(id: int) -> ResponseReturnValue:  # noqa: A002
    notice = db.get_or_404(Notice, id)
    if not notice.may_be_removed_by(current_user):
        abort(403, "Only its author or a moderator may take a notice down.")
    db.session.delete(notice)
    db.session.commit()
    flash(f"“{notice.title}” was taken down.", "warning")
    return redirect(url_for(".index"))


@blueprint.get("/digest")
@cache.cached(key_prefix="digest")
def digest() -> ResponseReturnValue:
    """The board in figures: the same page for everybody, so it is cached."""
    count = db.func.count
    busiest = db.session.execute(
        db.select(Account.name, count(Notice.id).label("posted"))
        .join(Account.notices)
        .group_by(Account.id)
        .order_by(count(Notice.id).desc(), Account.name)
    )
    return render_template("board/digest.html", busiest=busiest.all())


@blueprint.post("/digest/refresh")
@login_required
def refresh() -> ResponseReturnValue:
    cache.delete("digest")
    return redirect(url_for(".digest"))


@blueprint.get("/archive")
def archive() -> ResponseReturnValue:
    """Last year's notices, in the file that the setting ``ARCHIVE`` names."""
    return send_file(current_app.config["ARCHIVE"], as_attachment=True)


@blueprint.app_template_filter()
def excerpt(text: str, length: int = 40) -> str:
    """The first line of ``text``, shortened."""
    line = text.partition("\n")[0].strip()
    return line if len(line) <= length else f"{line[:length].rstrip()}…"


@blueprint.app_context_processor
def name_of_the_board() -> dict[str, str]:
    return {"board_name": current_app.config["BOARD_NAME"]}
