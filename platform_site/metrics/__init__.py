"""What the processes count for whoever watches them, in the words of Prometheus.

Off, and then next to free, unless ``METRICS_TOKEN`` is set. ``instruments`` are the counters and
histograms that any app may declare, ``measures`` those of the kit, ``serving`` turns them on and
answers ``/metrics``.
"""
