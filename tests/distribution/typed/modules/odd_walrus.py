import re

if found := re.match("a", "b"):
    inside = found
numbers = [last := x for x in range(3)]
first, *rest = 1, 2
print(shown := 3)


def function(x: int = (default := 4)) -> int:
    return x


@(kept := staticmethod)
def decorated() -> int:
    return 1


call = lambda q: (within := q)
