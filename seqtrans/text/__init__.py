"""From bytes to subwords to batches."""
