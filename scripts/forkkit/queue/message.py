"""The message of a patch: a subject, a reason in prose, and git trailers.

The trailers have DEP-3's names where DEP-3 has one, and Yocto's ``Upstream-Status``.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from dataclasses import replace

from ..base.errors import ForkError

REQUIRED = ("Upstream-Status", "Forwarded", "Drop-When", "Tests", "Fork-Patch")

# Where `git am` ends the message, or takes its first line for a header.
_NO_PROSE = re.compile(r"^(---(\s|$)|diff -|Index: )", re.MULTILINE)
_NO_FIRST_LINE = re.compile(r"(From|Date|Subject|[\w-]+-Type):", re.IGNORECASE)
_TRAILER = re.compile(r"([A-Z][A-Za-z]*(?:-[A-Za-z]+)*): (\S.*)")
_DROP_WHEN = re.compile(
    r"(?P<never>never)|upstream >= (?P<release>\d+(?:\.\d+)*)"
    r"|commit (?P<commit>[0-9a-f]{40})"
)
_FORMS = {
    "Upstream-Status": (
        r"(Pending|Submitted|Denied|Inappropriate|Backport|Inactive-Upstream)"
        r"( \[[^\]]+\])?",
        "Pending, Submitted, Denied, Inappropriate, Backport or Inactive-Upstream,"
        " and a [remark] where one helps",
    ),
    "Forwarded": (r"no|not-needed|\S+", "no, not-needed, or where it was sent"),
    "Drop-When": (
        _DROP_WHEN.pattern,
        "never, upstream >= VERSION, or commit SHA",
    ),
    "Tests": (r"tests/patches/test_\w+\.py", "tests/patches/test_NAME.py"),
    "Fork-Patch": (r"[a-z0-9]+(-[a-z0-9]+)*", "short-lower-case-words"),
    "Bug": (r"[\w.-]+/[\w.-]+#\d+", "owner/repository#number"),
}
_TEMPLATE_HELP = """\
# A line that says what the patch does, a reason in prose, and the trailers, with a
# blank line between the three. Lines that begin with # are not kept.
"""


@dataclass(frozen=True)
class DropWhen:
    """The condition under which a patch is to be dropped.

    :param kind: ``never``; ``release``, when upstream reaches a version; or
        ``commit``, when a release has a commit in its history.
    :param value: the version, or the commit's id.
    """

    kind: t.Literal["never", "release", "commit"]
    value: str = ""

    @classmethod
    def parse(cls, text: str) -> DropWhen:
        """Read the value of the trailer.

        :raises ValueError: it is malformed.
        """
        if not (match := _DROP_WHEN.fullmatch(text)):
            raise ValueError(text)
        if match["release"]:
            return cls("release", match["release"])
        return cls("commit", match["commit"]) if match["commit"] else cls("never")

    def render(self) -> str:
        """The value of the trailer."""
        prefixes = {"never": "never", "release": "upstream >= ", "commit": "commit "}
        return f"{prefixes[self.kind]}{self.value}"


@dataclass(frozen=True)
class Message:
    """The message of a patch, complete or not.

    :param subject: what the patch does, in one line.
    :param prose: why the fork has the patch.
    :param trailers: keys and values, in order; a key may occur several times.
    """

    subject: str
    prose: str
    trailers: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> Message:
        """Read a message, any part of which may be missing."""
        subject, _, body = text.strip().partition("\n")
        prose, _, last = body.strip().rpartition("\n\n")
        trailers = _parse_trailers(last)
        if not trailers:
            prose = body
        return cls(subject.strip(), prose.strip(), trailers)

    @classmethod
    def parse_template(cls, text: str) -> Message:
        """Read the text of :meth:`template` as edited."""
        empty = {f"{key}:" for key in REQUIRED}
        lines = [
            line
            for line in text.splitlines()
            if not line.startswith("#") and line.rstrip() not in empty
        ]
        return cls.parse("\n".join(lines))

    def render(self) -> str:
        """The text of the three parts."""
        trailers = "\n".join(f"{key}: {value}" for key, value in self.trailers)
        return f"{self.subject}\n\n{self.prose}\n\n{trailers}".strip() + "\n"

    def template(self) -> str:
        """The text to complete in an editor, with the form of each trailer."""
        values = dict(self.trailers)
        if name := self.name:
            values.setdefault("Tests", tests_of(name))
        forms = "".join(f"# {key}: {_FORMS[key][1]}\n" for key in REQUIRED)
        pairs = [pair for pair in self.trailers if pair[0] not in REQUIRED]
        pairs += [(key, values.get(key, "")) for key in REQUIRED]
        trailers = "".join(f"{key}: {value}\n" for key, value in pairs)
        body = f"{self.subject}\n\n{self.prose}\n\n{trailers}"
        return f"{body}\n{_TEMPLATE_HELP}{forms}"

    @property
    def name(self) -> str | None:
        """The name that it gives to the patch."""
        return dict(self.trailers).get("Fork-Patch")

    @property
    def bugs(self) -> list[str]:
        """The issues that ask for the patch, each as ``owner/repository#number``."""
        return [value for key, value in self.trailers if key == "Bug"]

    @property
    def drop_when(self) -> DropWhen:
        """When the patch is to be dropped. The message has been checked."""
        return DropWhen.parse(self.trailer("Drop-When"))

    def trailer(self, key: str) -> str:
        """The first value of a trailer that exists."""
        return next(value for found, value in self.trailers if found == key)

    def named(self, name: str) -> Message:
        """The same message for a patch of that name."""
        rest = [pair for pair in self.trailers if pair[0] != "Fork-Patch"]
        return replace(self, trailers=(*rest, ("Fork-Patch", name)))

    def with_values(self, values: t.Mapping[str, str]) -> Message:
        """The same message with other values for existing trailers."""
        trailers = tuple((key, values.get(key, value)) for key, value in self.trailers)
        return replace(self, trailers=trailers)

    def for_upstream(self) -> Message:
        """The same message without the trailers that only the fork uses."""
        kept = tuple(pair for pair in self.trailers if pair[0] not in REQUIRED)
        return replace(self, trailers=kept)

    def problems(self, *, where: object) -> list[ForkError]:
        """Everything that is missing, or that git could not read back from an email."""
        if not self.prose or not self.trailers:
            return [
                ForkError(
                    "the message needs a subject, a reason in prose, and trailers",
                    where=where,
                    hint="write the three parts with a blank line between them; the"
                    f" trailers are {', '.join(REQUIRED)}, one 'Key: value' per line",
                )
            ]
        return [*self._wrong_trailers(where), *self._wrong_prose(where)]

    def _wrong_trailers(self, where: object) -> t.Iterator[ForkError]:
        keys = [key for key, _ in self.trailers]
        for key in REQUIRED:
            if keys.count(key) != 1:
                times = "duplicated" if key in keys else "missing"
                hint = f"{key}: {_FORMS[key][1]}"
                yield ForkError(f"the trailer {key} is {times}", where=where, hint=hint)
        for key, value in self.trailers:
            pattern, words = _FORMS.get(key, (".*", ""))
            if not re.fullmatch(pattern, value):
                yield ForkError(
                    f"the trailer {key} has the invalid value {value!r}",
                    where=where,
                    hint=f"{key}: {words}",
                )

    def _wrong_prose(self, where: object) -> t.Iterator[ForkError]:
        if match := _NO_PROSE.search(self.prose):
            what = f"the prose has a line that begins with {match[0]!r}"
            yield not_a_mail(where, what)
        if _NO_FIRST_LINE.match(self.prose):
            yield not_a_mail(where, "the prose begins like an email header")


def join_messages(messages: t.Sequence[Message]) -> Message:
    """One message for several changes that become one patch."""
    first, *rest = messages
    prose = [first.prose, *(f"{m.subject}\n\n{m.prose}" for m in rest)]
    trailers = dict.fromkeys(pair for message in messages for pair in message.trailers)
    text = "\n\n".join(part.strip() for part in prose if part.strip())
    return Message(first.subject, text, tuple(trailers))


def is_name(text: str) -> bool:
    """Whether a patch can have that name."""
    return bool(re.fullmatch(_FORMS["Fork-Patch"][0], text))


def tests_of(name: str) -> str:
    """Where the tests of a patch are, if they have a file of their own."""
    return f"tests/patches/test_{name.replace('-', '_')}.py"


def not_a_mail(where: object, what: str) -> ForkError:
    """The error for something that an email of ``git format-patch`` cannot have."""
    return ForkError(
        what,
        where=where,
        hint="write it as `git format-patch` does; patches/README.md shows the format",
    )


def _parse_trailers(text: str) -> tuple[tuple[str, str], ...]:
    """The trailers that a paragraph is made of; none if it has any other line."""
    matches = [_TRAILER.fullmatch(line) for line in text.splitlines()]
    return tuple((m[1], m[2]) for m in matches if m) if all(matches) else ()
