"""Module docstring."""
from __future__ import annotations
import os.path
import collections.abc as cabc, sys
from . import sibling
from ..pkg.mod import thing as other, more
from typing import *

LIMIT = 10
_cache: dict[str, int] = {}
name = size = None
first, (second, *rest) = sys.argv


@decorate(name="x")
class Base(cabc.Mapping, metaclass=abc.ABCMeta):
    """A base."""

    #: How many there are.
    count: int = 0
    alias = count
    __slots__ = ("a",)

    class Inner(Exception):
        pass

    def __init__(self, a: int, *args: str, key: "str" = LIMIT, **kwargs) -> None:
        # Not a docstring.
        """Makes one."""
        self.a, self._b = a, args
        self.a = other(key, kwargs)
        cls = type(self)

    @property
    def value(self) -> Inner:
        return self.a

    @value.setter
    def value(self, new):
        self.a = new
        self.value = count

    @classmethod
    def make(cls, count=count) -> Base:
        return cls(count).value

    @abc.abstractmethod
    async def __secret(self): ...

    def _protected(self):
        yield self.__secret()
        return Base.count, Base.Inner(), self.missing


class Child(Base):
    def value(self):
        super().value()
        return self.count + self.make()


class Color(enum.Enum):
    RED = 1
    GREEN = RED + 1
    _ignore_ = []

    def describe(self):
        return self.RED, Color.GREEN


class Shape(Protocol[T]):
    def area(self) -> float: ...


class ThingTest(unittest.TestCase):
    def test_it(self):
        def test_helper():
            self.assertEqual(1, 2)


def test_function(fixture):
    "One line."
    return fixture


def _private(x=lambda y, z=LIMIT: y + z):
    class Local:
        def run(self):
            return self.other

        other = 1

    return Local().run


def again():
    class Local:
        def go(self):
            return self.other

    return Local


type Pair[T] = tuple[T, T]


def generic[T: int, U](x: T) -> list[U]:
    return x


class Box[T](Base):
    item: T

    def get(self) -> T:
        return self.item
