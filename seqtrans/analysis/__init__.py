"""Analysis of networks: gradients through time, and how long cells remember."""
