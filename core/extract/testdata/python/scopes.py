x = 1
total = 0
items = []


def shadow(x, items=items):
    """Defaults are looked up outside."""
    y = x
    for x, z in items:
        print(x, y, z)
    with open(y) as stream, lock:
        stream.read()
    try:
        pass
    except (ValueError, os.error) as error:
        raise Wrapped(error) from error
    if (found := z) and found:
        del found
    return late
    late = 1


def counter():
    count = 0

    def step():
        nonlocal count
        global total
        count += 1
        total = count
        missing = total
        return missing

    return step


squares = [x * n for n in range(x) if n]
pairs = {a: b for a, b in items for _ in b}
lazy = (last := i for i in items)
text = f"{x!r:>{total}} {squares[0]}"


class Scope:
    x = 2
    y = x
    items = items
    z = [x for _ in items]

    def method(self, x=x):
        return y, items, print(x)

    def print(self):
        return print(self.x, sep=x)


def match_it(command):
    match command:
        case Point(x=0, y=yy) | Point(xx):
            return yy, xx
        case [first, *others] if first:
            return others
        case {"k": value, **rest}:
            return value, rest
        case Color.RED | None:
            return x
        case str() as text:
            return text
        case other:
            return other


def types(a: Optional[Point], b: dict[str, list[int]] = {}, *c: typing.Union[A, B]) -> A | B:
    v: list[Scope] = cast(Scope, a)
    w: "Forward"
    v[0].name = b[x]
    v.name.first += 1
    return Scope(a).method(x=1)


async def fetch():
    async with session() as s:
        async for chunk in s:
            await chunk.done()
    return (yield)


def duplicate():
    return Scope.x, Scope.method


def duplicate(a, /, b, *, c):
    return a, b, c


lambda self, *args, **kw: (self, args, kw, match, type)
