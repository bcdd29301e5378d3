"""Extensions that cannot be imported on plain Flask can be, thanks to restored names.

For each of them, the data give what is installed, what is imported, and which value of
the variable it needs. With the next lower value, it fails because of a removed name.
"""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from forkkit.base import venv
from forkkit.base.venv import Environment

# Old libraries are installed, some of them built from source.
pytestmark = pytest.mark.sampled

#: Requirement, modules.
BY_FLASK = {
    "Flask-Analytics==0.6.0": "flask_analytics flask_analytics.providers.piwik",
    "Flask-Assets==0.12": "flask_assets",
    "Flask-Bouncer==0.3.0": "flask_bouncer",
    "Flask-Collect==1.3.2": "flask_collect flask_collect.storage.file",
    "Flask-Gravatar==0.5.0": "flask_gravatar",
    "flask-jsontools==0.1.7": "flask_jsontools flask_jsontools.views",
    "Flask-Markdown==0.3": "flaskext.markdown",
    "Flask-Script==2.0.6": "flask_script flask_script.commands flask.ext.script.cli",
    "Flask-Sijax==0.4.1": "flask_sijax",
}
BY_BOTH = {
    "Flask-API==2.0": "flask_api flask_api.parsers flask_api.renderers",
    "Flask-Bcrypt==0.7.1": "flask_bcrypt",
    "Flask-Cache==0.13.1": "flask_cache flask_cache.backends flask.ext.cache",
    "Flask-Classy==0.6.10": "flask_classy",
    "Flask-DebugToolbar==0.10.1": "flask_debugtoolbar flask_debugtoolbar.panels.timer",
    "Flask-HTTPAuth==3.3.0": "flask_httpauth",
    "Flask-JSGlue==0.3.1": "flask_jsglue",
    "Flask-Login==0.5.0": "flask_login flask_login.utils flask.ext.login",
    "Flask-Moment==0.11.0": "flask_moment",
    "Flask-OAuthlib==0.9.6": "flask_oauthlib.client flask_oauthlib.contrib.oauth2",
    "Flask-SeaSurf==0.2.2": "flask_seasurf",
    "Flask-Uploads==0.2.1": "flask_uploads",
}
CASES = [
    *(pytest.param(modules, "0", "1", id=name) for name, modules in BY_FLASK.items()),
    *(
        pytest.param(modules, "1", "werkzeug", id=name)
        for name, modules in BY_BOTH.items()
    ),
]


@pytest.fixture(scope="module")
def environment(
    tmp_path_factory: pytest.TempPathFactory,
    fork_wheel: pathlib.Path,
    shim_wheel: pathlib.Path,
) -> Environment:
    """An environment with both wheels and all of the extensions."""
    return venv.create(
        tmp_path_factory.mktemp("legacy-extensions") / "env",
        *(fork_wheel, shim_wheel, *BY_FLASK, *BY_BOTH),
        # Undeclared requirements; for Flask-Cache, the first was a part of Werkzeug.
        *("cachelib", "setuptools<81"),
    )


@pytest.mark.parametrize(("modules", "lower", "value"), CASES)
def test_it_can_be_imported(
    environment: Environment, modules: str, lower: str, value: str
) -> None:
    def try_it(value: str) -> t.Any:
        return environment.run(
            *("-W", "ignore", "-c", code),
            env={"FLASKFORK_LEGACY": value},
            check=False,
        )

    code = "import flask, importlib\n"
    code += f"for name in {modules.split()}: importlib.import_module(name)"
    done = try_it(value)
    assert done.returncode == 0, done.stderr
    failed = try_it(lower)
    assert failed.returncode == 1
    error = failed.stderr.splitlines()[-1]
    assert error.startswith(("ImportError: cannot import name", "ModuleNotFoundError"))
    libraries = ("flaskfork", "flask.", "werkzeug", "jinja2", "itsdangerous")
    assert any(f"'{library}" in error for library in libraries), error
