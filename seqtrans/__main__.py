"""`python -m seqtrans` and the `seqtrans` command."""

try:
    from seqtrans.cli.app import main
except KeyboardInterrupt:  # Ctrl-C before the command line can say what that means
    raise SystemExit(130) from None

__all__ = ["main"]

if __name__ == "__main__":
    main()
