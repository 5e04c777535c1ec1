"""What staff see of all tenants together: the home page, the search, and the figures behind them."""
