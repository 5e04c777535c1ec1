"""A chat of Channels' own parts, as its documentation builds one: what the product's sockets are held against."""
