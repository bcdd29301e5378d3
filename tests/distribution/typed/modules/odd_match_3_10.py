import sys

match sys.argv:
    case [one]:
        arm = 1
    case [two, *three]:
        pass
    case {"x": four, **five}:
        pass
    case str() as six:
        seven = 2
    case eight:
        pass
