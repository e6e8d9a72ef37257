"""The command line, one file for each command: it declares flags, opens streams, prints, and calls the rest."""
