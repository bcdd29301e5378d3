"""The patch fast-tagging: values that JSON has are not offered to each tag."""

from __future__ import annotations

import typing as t
from operator import attrgetter

from ._lean import Bodies

if t.TYPE_CHECKING:
    from .. import _json_nan
    from ..json import dumps
    from ..json import loads
    from ..json.tag import TaggedJSONSerializer

T = t.TypeVar("T", bound=type)
bodies = Bodies("json.tag")


def lean(cls: T) -> T:
    """Decorate the serializer."""
    _known.update(vars(cls), classes=[*cls.default_tags])  # type: ignore[attr-defined]
    _known["checks"] = [*map(_check, _known["classes"])]
    return bodies.put_in(cls)


def uses_plain_tags(serializer: TaggedJSONSerializer) -> bool:
    """Whether it has the tags that it is made with, and no others.

    :param serializer: an instance of the class itself.
    """
    classes = [*map(type, serializer.order)]
    return (
        classes == _known.get("classes") and [*map(_check, classes)] == _known["checks"]
    )


@bodies.relies_on(
    "TaggedJSONSerializer.tag",
    "ba9f2cdc422a5e5ff57f4fd59175a033e3ee282c6a7c128c76b39ca40020686c",
)
@bodies.stand_for(
    "TaggedJSONSerializer.dumps",
    "e23ece2cf9ba7efa5248ce94d9ec8a49fca21ffe6b05056e7b51d717ed1a13cc",
    part="tagging",
)
def _(original: t.Any) -> t.Any:
    known, plain, has_plain_tags = _known, _PLAIN, uses_plain_tags

    def in_its_place(self: TaggedJSONSerializer, value: t.Any) -> str:
        if (
            type(value) is not dict
            or type(self) is not TaggedJSONSerializer
            or TaggedJSONSerializer.tag is not known["tag"]
            or not has_plain_tags(self)
            or not plain.issuperset(map(type, value.values()))
            or not {str}.issuperset(map(type, value))
            or (len(value) == 1 and not self.tags.keys().isdisjoint(value))
        ):
            return original(self, value)  # type: ignore[no-any-return]

        return dumps(value.copy(), separators=_json_nan.SESSION)

    return in_its_place


@bodies.relies_on(
    "TaggedJSONSerializer.untag",
    "5bee92e99c0f1b342369395c22b0e832055e1c2e534f5f5cc235c6bf61a7704c",
)
@bodies.relies_on(
    "TaggedJSONSerializer._untag_scan",
    "08752e0a56e175def37965db6d19e69cca84f7c79903f7b52d6a23f35e109bdf",
)
@bodies.stand_for(
    "TaggedJSONSerializer.loads",
    "cce859d633a4675e2fe7ba951d9a7e13731d605dc170ec90dd27128536ccaa5e",
    part="tagging",
)
def _(original: t.Any) -> t.Any:
    known, plain = _known, _PLAIN

    def in_its_place(self: TaggedJSONSerializer, value: str) -> t.Any:
        if (
            type(self) is not TaggedJSONSerializer
            or TaggedJSONSerializer.untag is not known["untag"]
            or TaggedJSONSerializer._untag_scan is not known["_untag_scan"]
        ):
            return original(self, value)

        data = loads(value, **_json_nan.kept())

        if (
            type(data) is dict
            and plain.issuperset(map(type, data.values()))
            and (len(data) != 1 or self.tags.keys().isdisjoint(data))
        ):
            return data.copy()

        return self._untag_scan(data)

    return in_its_place


_PLAIN = frozenset({str, int, float, bool, type(None)})
_check = attrgetter("check")
_known: dict[str, t.Any] = {}
