class Base:
    def __init__(self, x):
        self.x = x

    def run(self):
        pass

    @classmethod
    def make(cls):
        return cls(1)


class Derived(Base):
    def __init__(self, x):
        super().__init__(x)
        super(Derived, self).run()
        super(Other, Derived).run()
        super().missing()

    def run(self):
        return super().run

    @classmethod
    def make(cls):
        return super().make()


def first_iterable(x, rows):
    a = [x for x in x]
    b = {x: y for x in rows for y in x if y}
    c = sum(rows for rows in rows.children)
    d = [(lambda x: x)(y) for y in [x for x in x] if x]
    e = {x for _ in rows for x in [x]}
    return a, b, c, d, e
