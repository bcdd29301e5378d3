from os import curdir as curdir
from os import sep

from . import odd_other
from . import views
from .odd_other import __all__ as names
from .odd_other import spelled

__all__ = [
    "sep",
    "shown",
    "_private",
]
shown = 1
hidden = 2
_private = 3
__all__ += ["more"]
more = 4
__all__.extend(["further"])
further = 5
__all__.append("one")
one = 6
__all__.remove("one")
__all__ += odd_other.__all__
