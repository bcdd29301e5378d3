import sys

if sys.version_info >= (3, 12):
    new = 1
    from itertools import batched as batched
elif sys.version_info >= (3, 10):
    middle = 2
else:

    def old() -> int:
        return 1


if (
    sys.version_info[:2]  # over lines
    >= (3, 11)
):
    from itertools import pairwise as pairwise
else:
    pairwise = None
