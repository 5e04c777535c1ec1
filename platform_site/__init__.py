"""The Core Platform: its kit at the bottom, its URLs and processes on top."""

__version__ = "0.1.0"
