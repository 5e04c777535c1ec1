"""Replacing keys: what is stored under which, writing it anew under the first, and dropping the other."""
