"""What a row of the table is, and how two things are compared on a machine that is never quiet."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

if TYPE_CHECKING:
    from benchmarks.bench import Bench

Verdict = Literal["aim", "bar", "missed", ""]


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure has to reach, and what we want it to reach."""

    value: float
    aim: float
    more_is_better: bool

    def verdict(self, measured: float) -> Verdict:
        if self._reached(measured, self.aim):
            return "aim"
        return "bar" if self._reached(measured, self.value) else "missed"

    def _reached(self, measured: float, wanted: float) -> bool:
        return measured >= wanted if self.more_is_better else measured <= wanted

    def __str__(self) -> str:
        sign = "≥" if self.more_is_better else "≤"
        return f"{sign} {self.value:g} (aim {self.aim:g})" if self.aim != self.value else f"{sign} {self.value:g}"


def at_least(value: float, *, aim: float) -> Bar:
    return Bar(value, aim, more_is_better=True)


def at_most(value: float, *, aim: float) -> Bar:
    return Bar(value, aim, more_is_better=False)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    The bar is held against ``ratio``, or against ``ours`` itself where there is none. Without a
    bar a figure is a reference: it is printed and not judged.
    """

    what: str
    ours: float
    unit: str
    counterpart: str = ""
    theirs: float | None = None
    ratio: float | None = None
    bar: Bar | None = None

    @property
    def verdict(self) -> Verdict:
        if self.bar is None:
            return ""
        return self.bar.verdict(self.ours if self.ratio is None else self.ratio)


class Row(ABC):
    """Something to measure. Subclasses in ``benchmarks/rows/`` are found by themselves."""

    name: ClassVar[str]
    title: ClassVar[str]
    # What it is held against, in words; "" where the bar is a number of its own.
    counterpart: ClassVar[str] = ""
    # The bar of the row's first figure; the others bring their own or are references.
    bar: ClassVar[Bar | None] = None

    @abstractmethod
    def measure(self, bench: "Bench") -> Iterator[Figure]:
        """Measure, and give the figures as they become known."""

    def against(self, pairs: "Pairs", unit: str) -> Figure:
        """The row's main figure, from interleaved rounds."""
        return pairs.figure(self.title, unit, self.counterpart, self.bar)


@dataclass(frozen=True, slots=True)
class Pairs:
    """What two arms gave, round by round."""

    ours: Sequence[float]
    theirs: Sequence[float]

    @property
    def ratio(self) -> float:
        """The median of the rounds' own ratios: what slows a whole round down is not in it."""
        return median(mine / other for mine, other in zip(self.ours, self.theirs, strict=True))

    def figure(self, what: str, unit: str, counterpart: str, bar: Bar | None = None) -> Figure:
        return Figure(what, median(self.ours), unit, counterpart, median(self.theirs), self.ratio, bar)


Arm = Callable[[], float]
Measured = TypeVar("Measured")


def interleaved(rounds: int, *arms: Callable[[], Measured]) -> list[list[Measured]]:
    """Let the arms take turns, A B C A B C …, and give what each of them measured."""
    results: list[list[Measured]] = [[] for _ in arms]
    for _ in range(rounds):
        for arm, measured in zip(arms, results, strict=True):
            measured.append(arm())
    return results
