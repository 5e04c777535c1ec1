"""A frame that costs a long query, as no frame of the product does: for the row about what others feel of it."""
