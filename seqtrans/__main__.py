"""`python -m seqtrans` and the `seqtrans` command."""

from seqtrans.cli.app import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
