"""A frame that costs a long query, as no frame of the product does. For the row that looks at what others feel of it."""
