"""Encoder, decoder, attention, and the file a trained model lives in."""
