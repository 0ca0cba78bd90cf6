"""House 1: where to go. A spider is a few declared attributes; parsing is the pages' business."""
