"""What a process of sockets counts, for whoever watches it (``/metrics`` of that process)."""

from bisect import bisect_left
from typing import Final

# Seconds from publishing to handing on.
LAG_BOUNDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Numbers that only grow, but for ``sockets``."""

    def __init__(self) -> None:
        self.sockets = 0
        self.envelopes = 0
        self.deliveries = 0
        # Handed on from the database instead of Valkey.
        self.healed = 0
        # Told to get for themselves what was too much to be handed on.
        self.gaps = 0
        # Sockets that were closed because they did not read.
        self.slow = 0
        self.kicked = 0
        self.errors = 0
        self._lags = [0] * (len(LAG_BOUNDS) + 1)
        self._lag_sum = 0.0

    def lag(self, seconds: float) -> None:
        self._lags[bisect_left(LAG_BOUNDS, seconds)] += 1
        self._lag_sum += max(0.0, seconds)

    def as_text(self) -> str:
        """In the text format of Prometheus."""
        lines = [
            "# TYPE core_realtime_sockets gauge",
            f"core_realtime_sockets {self.sockets}",
        ]
        for name in ("envelopes", "deliveries", "healed", "gaps", "slow", "kicked", "errors"):
            lines += [f"# TYPE core_realtime_{name}_total counter", f"core_realtime_{name}_total {getattr(self, name)}"]
        lines.append("# TYPE core_realtime_lag_seconds histogram")
        reached = 0
        for bound, count in zip((*map(str, LAG_BOUNDS), "+Inf"), self._lags, strict=True):
            reached += count
            lines.append(f'core_realtime_lag_seconds_bucket{{le="{bound}"}} {reached}')
        lines += [f"core_realtime_lag_seconds_sum {self._lag_sum}", f"core_realtime_lag_seconds_count {reached}"]
        return "\n".join(lines) + "\n"
