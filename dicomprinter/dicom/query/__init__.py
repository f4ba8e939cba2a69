"""What a query asks, and what its answers mean."""
