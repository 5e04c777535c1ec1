"""``/auth/me`` as somebody would write it who wants nothing but that: what the product is held against."""
