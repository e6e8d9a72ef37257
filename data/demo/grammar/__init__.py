"""A grammar that says one thing in English and in German: an abstract clause, and two ways to speak it."""
