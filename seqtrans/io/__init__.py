"""Input and output: lines of text, filters, files that appear whole or not at all, the sealed container."""
