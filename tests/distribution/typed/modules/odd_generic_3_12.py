type X = int
type Y[T] = list[T]


def function[T](x: T) -> T:
    return x


class Generic[T]:
    def method(self) -> T: ...
