"""Translations, examined by what survives the way there and back."""
