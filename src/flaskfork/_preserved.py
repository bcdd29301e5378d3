"""The patch client-teardown-once: the contexts that a test client preserves."""

from __future__ import annotations

import typing as t
from contextlib import contextmanager
from contextvars import ContextVar
from contextvars import Token

from ._streams import hold
from .globals import _cv_app
from .globals import _cv_request
from .helpers import _CollectErrors


class Preserved:
    """The contexts of a client's last request. They are held, as by a stream, and they
    are current while no client makes a request.
    """

    def __init__(self) -> None:
        self._contexts: list[t.Any] = []
        self._releases: list[t.Callable[[BaseException | None], None]] = []

    def append(self, ctx: t.Any) -> None:
        """Preserve the app context, then the request context. This is called at the end
        of the request, which tears them down if nothing else holds them.
        """
        self._contexts.append(ctx)

        if len(self._contexts) == 2:
            self._releases.append(hold(*self._contexts))
            every = _cv_every.get(_nothing)
            clients = (*every.clients, (self, self._contexts))
            _cv_every.set(every._replace(clients=clients))
            # A middleware may call the application again.
            self._contexts = []

    @contextmanager
    def torn_down(self) -> t.Iterator[None]:
        """Tear them down, and run the ``with`` block without those of any client."""
        with _without_any():
            every = _cv_every.get(_nothing)
            others = tuple(c for c in every.clients if c[0] is not self)
            _cv_every.set(every._replace(clients=others))
            releases, self._releases, self._contexts = self._releases, [], []
            errors = _CollectErrors()

            for release in reversed(releases):
                with errors:
                    release(None)

            if errors:
                errors.raise_any()

            yield

    def tear_down(self) -> None:
        """Tear them down."""
        with self.torn_down():
            pass


class _Every(t.NamedTuple):
    """What every client has preserved, the latest last, and how to stop the contexts of
    the latest from being current. It is replaced, never changed, because copies of a
    :class:`contextvars.Context` share it.
    """

    clients: tuple[tuple[Preserved, list[t.Any]], ...]
    current: tuple[tuple[ContextVar[t.Any], t.Any, Token[t.Any]], ...]


_nothing = _Every((), ())
_cv_every: ContextVar[_Every] = ContextVar("preserved_contexts")


@contextmanager
def _without_any() -> t.Iterator[None]:
    """Run the ``with`` block without the contexts that are current because a client has
    preserved them. A request would otherwise use that app context.
    """
    every = _cv_every.get(_nothing)

    # Anything that was pushed on top of them stays, and a request uses it.
    if all(var.get(None) in {None, ctx} for var, ctx, _ in every.current):
        _cv_every.set(every._replace(current=()))

        for var, ctx, token in every.current:
            # It is not current if what was below it has been popped since.
            if var.get(None) is ctx:
                _reset(var, token)

    try:
        yield
    finally:
        _make_latest_current()


def _reset(var: ContextVar[t.Any], token: Token[t.Any]) -> None:
    try:
        var.reset(token)
    except ValueError:
        # The token belongs to the context that this one copies.
        var.set(None)


def _make_latest_current() -> None:
    every = _cv_every.get(_nothing)

    if every.clients and not every.current:
        variables: list[ContextVar[t.Any]] = [_cv_app, _cv_request]
        pairs = zip(variables, every.clients[-1][1])
        current = tuple((var, ctx, var.set(ctx)) for var, ctx in pairs)
        _cv_every.set(every._replace(current=current))
