"""The patch stream-teardown: streams that hold the contexts they were made in.

A context is torn down when its last holder lets go: the code that pushed it, or a
stream.
"""

from __future__ import annotations

import sys
import typing as t
import weakref
from contextvars import Context
from contextvars import copy_context

from ._cycles import clear_routing_exception
from .globals import _cv_app
from .globals import _cv_request

if t.TYPE_CHECKING:
    from .ctx import AppContext
    from .ctx import RequestContext
    from .helpers import _CollectErrors

    FlaskContext = t.Union[AppContext, RequestContext]
    Stream = t.Generator[t.Any, t.Any, None]


class Holders:
    """Who holds a context besides the one that pushed it.

    :param exc: the error with which the context was popped.
    """

    exc: BaseException | None = None
    #: What the push left in the context, once it is popped.
    token: t.Any = None

    def __init__(self) -> None:
        self._streams: weakref.WeakSet[Stream] = weakref.WeakSet()
        # The first item is the only true one, so the last holder to let go pops it. A
        # stream may end in another thread, where a counter would need a lock.
        self._holds = [True]

    def __len__(self) -> int:
        return len(self._streams)

    def hold(self) -> None:
        self._holds.append(False)

    def let_go(self) -> bool:
        """Let go, and return whether this was the last holder."""
        return bool(self._holds) and self._holds.pop()


def last_pop(ctx: FlaskContext, exc: BaseException | None) -> bool:
    """Whether a context that is popped has to be torn down, and not by a stream.

    :param exc: what it is popped with; anything but an error or ``None`` is the
        default, for the error that is being handled.
    """
    holders = t.cast(Holders, ctx._streams)

    if holders.token is not None:
        # It was popped before, and pushed again while a stream holds it.
        return False

    holders.token = ctx._cv_tokens[0]
    known = exc is None or isinstance(exc, BaseException)
    holders.exc = exc if known else sys.exc_info()[1]
    return _is_due(ctx, holders)


def start(gen: t.Iterator[t.Any], app_ctx: AppContext, ctx: RequestContext) -> Stream:
    """Return a generator that runs ``gen`` in a copy of the current context, and holds
    both of Flask's until it ends.
    """
    stream = _held(gen, app_ctx, ctx)
    next(stream)
    _holders(ctx)._streams.add(stream)
    return stream


def close_all(ctx: RequestContext) -> None:
    """Close the streams that a request has begun. When dispatching fails, nobody gets
    to see them, but the traceback may keep them alive.
    """
    for stream in list(ctx._streams._streams if ctx._streams else ()):
        # A stream that is running in another thread ends there.
        if not stream.gi_running:  # type: ignore[attr-defined]
            try:
                stream.close()
            except Exception:
                ctx.app.log_exception(sys.exc_info())


def _holders(ctx: FlaskContext) -> Holders:
    # Atomic, because the tasks and threads of a request may share the context.
    return t.cast(Holders, ctx.__dict__.setdefault("_streams", Holders()))


def _held(gen: t.Iterator[t.Any], app_ctx: AppContext, ctx: RequestContext) -> Stream:
    context = copy_context()
    release = hold(app_ctx, ctx)
    error: BaseException | None = None

    try:
        try:
            # The generator is run to this point, where it holds the contexts.
            try:
                yield None
            except GeneratorExit:
                # It is closed without being iterated, which is not an error.
                return

            yield from _chunks(gen, context.run)
        finally:
            # This may be the body of another WSGI application.
            if hasattr(gen, "close"):
                context.run(gen.close)
    except BaseException as e:
        error = e
        raise
    finally:
        try:
            release(error)
        finally:
            # The traceback of an error has this frame.
            del error


def _chunks(gen: t.Any, run: t.Callable[..., t.Any]) -> Stream:
    """``yield from gen``, as :pep:`380` defines it, but run by ``run``. The caller has
    to close ``gen``.
    """
    call: tuple[t.Any, ...] = (next, gen)

    while True:
        try:
            chunk = run(*call)
        except StopIteration:
            return
        finally:
            # It may have an error, the traceback of which has this frame.
            del call

        try:
            value = yield chunk
        except GeneratorExit:
            raise
        except BaseException as e:
            if not hasattr(gen, "throw"):
                raise

            call = (gen.throw, e)
        else:
            call = (next, gen) if value is None else (gen.send, value)


def hold(
    app_ctx: AppContext, ctx: RequestContext
) -> t.Callable[[BaseException | None], None]:
    """Hold both contexts without pushing them.

    :return: the function that lets them go, with the error of the holder. It raises
        what their teardown raises, if that is due.
    """
    # Not at the top, as it imports this module, and not in release, which may be called
    # while the interpreter is ending.
    from .helpers import _CollectErrors

    held_app, held = _holders(app_ctx), _holders(ctx)
    held_app.hold()
    held.hold()

    def release(exc: BaseException | None) -> None:
        errors = _CollectErrors()
        token = _cv_app.set(app_ctx)

        error = held.exc or exc
        if _is_due(ctx, held):
            _tear_down_request(ctx, error, errors)
        error = held_app.exc or exc
        if _is_due(app_ctx, held_app):
            with errors:
                _tear_down_app(app_ctx, error)

        _cv_app.reset(token)

        if errors:
            errors.raise_any()

    return release


def _is_due(ctx: FlaskContext, holders: Holders) -> bool:
    """Whether a holder that lets go has to tear the context down."""
    if not holders.let_go():
        return False

    ctx.__dict__.pop("_streams", None)
    # The frames of a stream refer to the holders, and its error may refer to them.
    holders.exc = None
    # If it was pushed again, that pop tears it down.
    return ctx._cv_tokens[:1] in ([], [holders.token])


def _tear_down_app(app_ctx: AppContext, exc: BaseException | None) -> None:
    if _cv_request.get(None) is None:
        app_ctx.app.do_teardown_appcontext(exc)
        return

    # The stream is collected while another request is handled, which the teardown
    # functions must not see.
    context = Context()
    context.run(_cv_app.set, app_ctx)
    context.run(app_ctx.app.do_teardown_appcontext, exc)


def _tear_down_request(
    ctx: RequestContext, exc: BaseException | None, errors: _CollectErrors
) -> None:
    """What :meth:`.RequestContext.pop` does without a stream."""
    token = _cv_request.set(ctx)

    with errors:
        ctx.app.do_teardown_request(exc)
    with errors:
        getattr(ctx.request, "close", lambda: None)()

    _cv_request.reset(token)
    ctx.request.environ["werkzeug.request"] = None
    clear_routing_exception(ctx)
