"""Who a token is, and which posts are in force."""
