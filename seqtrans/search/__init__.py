"""From a model to translations: what is searched, and how."""
