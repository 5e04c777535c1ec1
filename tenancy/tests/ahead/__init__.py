"""The code of a next release: the same platform with one more tenant migration."""
