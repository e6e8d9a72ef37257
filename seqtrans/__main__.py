"""`python -m seqtrans` and the `seqtrans` command."""

try:
    from seqtrans.cli.signals import receive_signals

    receive_signals()  # before the imports that take long
    from seqtrans.cli.app import main
except KeyboardInterrupt:  # Ctrl-C before anybody could receive it
    raise SystemExit(130) from None

__all__ = ["main"]

if __name__ == "__main__":
    main()
