"""Speed and quality, side by side with what a user would use instead, in one run; ratios are printed."""
