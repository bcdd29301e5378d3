"""Everything that a star import brings."""

from flask import *
from flask.app import *
from flask.cli import *
from flask.ctx import *
from flask.globals import *
from flask.helpers import *
from flask.json import *
from flask.json.provider import *
from flask.json.tag import *
from flask.sansio import *
from flask.sansio.app import *
from flask.sessions import *
from flask.signals import *
from flask.templating import *
from flask.testing import *
from flask.typing import *
from flask.views import *
from flask.wrappers import *

reveal_type(Flask)
reveal_type(App)
reveal_type(AppContext)
reveal_type(app)
reveal_type(cli)
reveal_type(globals)
reveal_type(json)
reveal_type(typing)
reveal_type(t)
reveal_type(TYPE_CHECKING)
reveal_type(swap)
reveal_type(sansio)
reveal_type(_cv_app)
reveal_type(request)
reveal_type(request_ctx)
reveal_type(dumps)
reveal_type(loads)
reveal_type(provider)
reveal_type(Environment)
reveal_type(MethodView)
reveal_type(ResponseReturnValue)
reveal_type(FlaskClient)
reveal_type(EnvironBuilder)
reveal_type(SessionMixin)
reveal_type(signals)
reveal_type(click)
