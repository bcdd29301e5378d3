import typing
import typing as tt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .views import View as Shown

    only = 1
else:
    View = object
    unseen = 2
if not typing.TYPE_CHECKING:

    def hidden() -> None: ...


if tt.TYPE_CHECKING and 1:
    both = 1
if __name__ == "__main__":
    started = 1
