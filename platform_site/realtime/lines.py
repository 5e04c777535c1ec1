"""Putting numbered envelopes back in order.

Two requests commit one after the other and publish in whatever order. A line
hands on what is next, drops what it had, and keeps what is ahead. How long to
wait for the hole, and how to fill it, is for the hub to decide.
"""

from typing import Generic, TypeVar

Item = TypeVar("Item")


class Line(Generic[Item]):
    """``known``: everything up to it was handed on; None before anything is known of the line."""

    __slots__ = ("base", "held", "known", "target", "waiting")

    def __init__(self) -> None:
        self.known: int | None = None
        # Where it began: everything up to it was handed on by nobody here.
        self.base = 0
        # The highest number that somebody says exists.
        self.target = 0
        self.held: dict[int, Item] = {}
        # Somebody looks after the hole already.
        self.waiting = False

    def learn(self, number: int) -> None:
        """Somebody was told everything up to ``number``. What others were told may be less: then it is a target."""
        if self.known is None:
            # What is held was not handed on: whoever was told less than it lacks what lies between.
            self.known = self.base = number
            self.held = {held: item for held, item in self.held.items() if held > number}
        elif number < self.base:
            # Two came when it began, and this one was told less: what is between was handed on to nobody.
            self.target = max(self.target, self.known)
            self.known = self.base = number
        self.target = max(self.target, number)

    def offer(self, number: int, item: Item) -> list[Item]:
        """What can be handed on now, in order."""
        if self.known == number - 1 and not self.held:
            self.known = number
            return [item]
        if self.known is not None and number <= self.known:
            return []
        self.held[number] = item
        return self._released()

    @property
    def behind(self) -> bool:
        return bool(self.held) or (self.known is not None and self.known < self.target)

    def hole(self) -> tuple[int, int]:
        """(after, up to): the numbers that are missing before the first that is held, or before the target."""
        if self.known is None:
            # Nobody here was told anything of it; the first that came is where it begins.
            self.known = self.base = min(self.held) - 1 if self.held else self.target
        return self.known, min(self.held) - 1 if self.held else self.target

    def skip(self, after: int, upto: int) -> list[Item]:
        """Give up on what is missing of this ``hole``: it is not to be had, or clients were told to get it themselves.

        What is here of it is handed on. Changes have no row of their own once their message was changed again. Has
        somebody come meanwhile who was told less than ``after``, the hole is larger now and nothing is given up.
        """
        found: list[Item] = []
        if self.known is not None and after <= self.known < upto:
            self.known = upto
            found = [self.held.pop(held) for held in sorted(self.held) if held <= upto]
        return found + self._released()

    def _released(self) -> list[Item]:
        released = []
        while self.known is not None and self.known + 1 in self.held:
            self.known += 1
            released.append(self.held.pop(self.known))
        return released
