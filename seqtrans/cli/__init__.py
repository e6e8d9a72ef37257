"""One file a command: parse flags, open streams, call one function below."""
