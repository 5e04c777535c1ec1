"""The one error of this package that is meant for the eyes of the person who typed the command."""


class LocalProblem(Exception):
    """Something about this machine prevents the start; the message says what to do about it."""
