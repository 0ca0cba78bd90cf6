"""What prices, stock, ratings and orders of stores mean. Pure functions; commands ask the reader."""
