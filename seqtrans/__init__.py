"""seqtrans: from a parallel text to a translator, with recurrent networks, in four commands."""

__version__ = "0.1.0"
