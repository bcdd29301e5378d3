"""The patch error-cycles: clear frames that keep an error, and its request, alive.

Through its traceback, an error refers to the frames that it passed through. If one of
them refers to the error, both stay alive until the cyclic collector runs.
"""

from __future__ import annotations

import sys
import typing as t
from contextlib import suppress

if t.TYPE_CHECKING:
    from types import FrameType
    from types import TracebackType

    from .ctx import RequestContext

#: The methods that pass an error to a handler, which may raise it again.
HANDLING = {"handle_exception", "handle_http_exception", "handle_user_exception"}


def clear_handling(tb: TracebackType | None) -> None:
    """Clear the frames of Flask that have passed an error to a handler.

    :param tb: the traceback of the error.
    """
    while tb is not None:
        frame = tb.tb_frame

        if frame.f_code.co_name in HANDLING and frame.f_globals["__name__"] == _APP:
            _clear(frame)

        tb = tb.tb_next


_APP = f"{__package__}.app"


def clear_routing_exception(ctx: RequestContext) -> None:
    """Have the request of a context that ends let go of its error. If it is a copy,
    the request may still be dispatched in the context that was copied.
    """
    owner = vars(ctx).get("_copied_from", ctx)

    if owner is ctx or not owner._cv_tokens:
        ctx.request.routing_exception = None


class EnvironmentWithoutCycles:
    """Mixin for :class:`jinja2.Environment`."""

    def handle_exception(self, source: str | None = None) -> t.NoReturn:
        """Raise the error that a template has raised, with its lines in the traceback.

        Jinja makes a frame for each of them, whose globals contain the error, and
        which refers to the frames of Jinja's own that made it.
        """
        try:
            super().handle_exception(source)  # type: ignore[misc]
        except BaseException as e:
            _clear_frames_of_jinja(e.__traceback__)
            raise

        raise AssertionError("unreachable")


def _clear_frames_of_jinja(tb: TracebackType | None) -> None:
    while tb is not None:
        if tb.tb_frame.f_globals.pop("__jinja_exception__", None):
            frame = tb.tb_frame.f_back

            while frame and frame.f_globals.get("__name__") == "jinja2.debug":
                _clear(frame)
                frame = frame.f_back

        tb = tb.tb_next


def _clear(frame: FrameType) -> None:
    # A frame that is still running clears itself when it ends.
    with suppress(RuntimeError):
        frame.clear()


def call_sync(
    async_to_sync: t.Callable[..., t.Any],
    func: t.Callable[..., t.Coroutine[t.Any, t.Any, t.Any]],
) -> t.Callable[..., t.Any]:
    """Return a sync function that calls a coroutine function.

    asgiref keeps an error of the function in a future, and the error's traceback has
    the frames that refer to the future; so the error is returned as a result. asgiref
    also raises the error that is being handled again, inside the loop, which adds to
    its traceback.

    :param async_to_sync: that of asgiref.
    """

    outcome = _with_outcome(func)

    def run(*args: t.Any, **kwargs: t.Any) -> t.Any:
        handled = sys.exc_info()[1]
        tb = None if handled is None else handled.__traceback__

        try:
            found = async_to_sync(outcome)(*args, **kwargs)
        finally:
            if handled is not None:
                handled.__traceback__ = tb

            del handled, tb

        # The frame that ran the function may outlive it, and has the list.
        error = found.pop()

        try:
            if error is not None:
                raise error
        finally:
            del error

        return found.pop()

    return run


def _with_outcome(func: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    """Make a coroutine function return a list of its result and its error."""

    async def outcome(*args: t.Any, **kwargs: t.Any) -> list[t.Any]:
        try:
            return [await func(*args, **kwargs), None]
        except BaseException as e:
            return [None, e]

    return outcome
