"""What a developer's machine needs beside the product: servers, a mailbox, one command.

Nothing here imports Django, so that `make run` shows its first line at once and the settings can
ask `layout` where things are.  Production installs none of it into a process of its own.
"""
