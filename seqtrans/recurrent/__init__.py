"""Recurrent cells, and layers that run a cell over a sequence."""
