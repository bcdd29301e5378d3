# pyright: strict
"""Routes of all kinds."""

from __future__ import annotations

import asyncio
import collections.abc as cabc
import typing as t

import flask.views as v
from flask import abort
from flask import after_this_request
from flask import Blueprint
from flask import copy_current_request_context
from flask import current_app
from flask import flash
from flask import g
from flask import jsonify
from flask import make_response
from flask import redirect
from flask import render_template
from flask import Request as BaseRequest
from flask import request
from flask import Response
from flask import send_file
from flask import session
from flask import stream_template_string
from flask import stream_with_context
from flask import url_for
from flask.blueprints import BlueprintSetupState
from flask.testing import FlaskClient
from flask.typing import ResponseReturnValue
from flask.views import MethodView

if t.TYPE_CHECKING:
    from werkzeug.wrappers import Response as BaseResponse

blueprint = Blueprint("garden", __name__, template_folder="beds")
inner = Blueprint("bed", __name__)
blueprint.register_blueprint(inner, url_prefix="/<int:bed>")


class Request(BaseRequest):
    """A request that knows its gardener."""

    @property
    def gardener(self) -> str:
        return self.headers.get("X-Gardener", "nobody")


class Client(FlaskClient):
    """A client that digs."""

    def dig(self, bed: int) -> int:
        with self.session_transaction() as found:
            found["bed"] = bed
        return self.post(f"/plants/{bed}").status_code


@blueprint.before_request
def remember() -> ResponseReturnValue | None:
    g.gardener = request.headers.get("X-Gardener")
    reveal_type(g)
    reveal_type(g.gardener)
    reveal_type(g.get("gardener", "nobody"))
    return None if g.gardener else redirect(url_for("garden.plants"))


@blueprint.after_request
def stamp(response: Response) -> Response:
    response.headers["X-Bed"] = str(session.get("bed", 0))
    return response


@blueprint.teardown_request
def clear(error: BaseException | None) -> None:
    g.pop("gardener", None)


@blueprint.url_value_preprocessor
def pull(endpoint: str | None, values: dict[str, t.Any] | None) -> None:
    g.bed = (values or {}).pop("bed", None)


@blueprint.record_once
def setup(state: BlueprintSetupState) -> None:
    reveal_type(state.app)
    state.add_url_rule("/late", view_func=plants)


@blueprint.context_processor
def helpers() -> dict[str, t.Any]:
    return {"name": current_app.name}


@blueprint.app_template_filter("upper")
def upper(text: str) -> str:
    return text.upper()


@blueprint.get("/")
def plants() -> ResponseReturnValue:
    flash("dug", category="spade")
    return render_template("plants.html", plants=["fern"])


@blueprint.route("/<int:plant>", methods=["POST", "DELETE"], strict_slashes=False)
def plant(plant: int) -> tuple[dict[str, int], int, dict[str, str]]:
    return {"plant": plant}, 201, {"X-Plant": "yes"}


@blueprint.get("/wait")
async def wait() -> list[str]:
    await asyncio.sleep(0)
    return ["slug"]


@blueprint.get("/stream")
def stream() -> cabc.Iterator[str]:
    @stream_with_context
    def lines() -> cabc.Iterator[str]:
        yield from request.args.getlist("line")

    reveal_type(lines)
    reveal_type(stream_template_string("{{ x }}", x=1))
    return lines()


@blueprint.get("/file")
def download() -> Response:
    @after_this_request
    def mark(response: Response) -> Response:
        return response

    reveal_type(mark)
    return send_file("plants.csv", as_attachment=True, max_age=60)


@blueprint.get("/json")
def as_json() -> Response:
    found = request.get_json(silent=True)
    reveal_type(found)
    reveal_type(request.json)
    reveal_type(request.url_rule)
    reveal_type(request.view_args)
    response = make_response(jsonify(found), 200)
    reveal_type(response)
    reveal_type(response.json)
    return response


@blueprint.get("/away")
def away() -> BaseResponse:
    if session.permanent:
        abort(403)
    if "bed" not in session:
        abort(404, "no bed")
    reveal_type(session["bed"])
    reveal_type(url_for(".plants", _external=True))
    return redirect(url_for(".plants"), code=303)


@blueprint.get("/later")
def later() -> str:
    @copy_current_request_context
    def work(times: int) -> str:
        return request.path * times

    reveal_type(work)
    return work(2)


class Plant(MethodView):
    """A view that has methods."""

    init_every_request = False
    decorators: t.ClassVar[list[t.Callable[..., t.Any]]] = []

    def get(self, plant: int) -> str:
        return str(plant)

    async def post(self, plant: int) -> dict[str, int]:
        return {"plant": plant}


class Shed(v.View):
    """A view that is one function."""

    methods: t.ClassVar[cabc.Collection[str] | None] = ["GET"]

    def __init__(self, name: str) -> None:
        self.name = name

    def dispatch_request(self) -> ResponseReturnValue:
        return self.name


blueprint.add_url_rule("/shed", view_func=Shed.as_view("shed", "tools"))
blueprint.add_url_rule("/view/<int:plant>", view_func=Plant.as_view("plant_view"))
reveal_type(Plant.as_view("again"))
reveal_type(blueprint.get("/"))
reveal_type(blueprint.route("/x")(plants))
reveal_type(request)
reveal_type(session)
reveal_type(current_app)
reveal_type(current_app.view_functions)
