"""English text, one module for what one module of the dashboard says: a translation changes these and texts.py."""
