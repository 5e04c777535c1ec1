"""Failures on demand: an answer that is an error, one that is lost, and one that takes its time."""

import re
import threading
from dataclasses import dataclass
from typing import Any

from billing.local_stripe.errors import Refusal

Json = dict[str, Any]


@dataclass
class Fault:
    """One rule. It holds for the next `times` requests whose "METHOD /path" fits `path`."""

    path: str = ""
    times: int = 1
    status: int | None = None
    code: str | None = None
    # "before": nothing happens. "after": it happens, and the answer is the error, or is lost without a status.
    timing: str = "before"
    delay: float = 0.0

    def __post_init__(self) -> None:
        if self.timing not in {"before", "after"}:
            raise ValueError('timing is "before" or "after".')
        if self.status is not None and not 400 <= self.status <= 599:
            raise ValueError("status is that of an error, 400 to 599.")
        if self.times < 1 or not 0 <= self.delay <= 300:
            raise ValueError("times is at least 1, and delay at most 300 seconds.")
        self._pattern = re.compile(self.path)

    def fits(self, request: str) -> bool:
        return self.times > 0 and bool(self._pattern.search(request))

    def refusal(self) -> Refusal:
        status = self.status or 500
        code = self.code or ("rate_limit" if status == 429 else None)
        type = "api_error" if status >= 500 else "invalid_request_error"
        return Refusal("A failure that was asked for.", status=status, type=type, code=code)


class Faults:
    """All rules that still hold. They are asked for by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._rules.append(fault)

    def clear(self) -> None:
        with self._lock:
            self._rules.clear()

    def take(self, request: str) -> list[Fault]:
        """Those that hold for this request: each delay, and one failure at most."""
        taken: list[Fault] = []
        with self._lock:
            for fault in self._rules:
                is_failure = fault.status is not None or fault.timing == "after" or not fault.delay
                has_failure = any(each.status is not None or each.timing == "after" for each in taken)
                if fault.fits(request) and not (is_failure and has_failure):
                    fault.times -= 1
                    taken.append(fault)
            self._rules = [fault for fault in self._rules if fault.times > 0]
        return taken

    def shown(self) -> list[Json]:
        with self._lock:
            return [{key: value for key, value in vars(rule).items() if key != "_pattern"} for rule in self._rules]
