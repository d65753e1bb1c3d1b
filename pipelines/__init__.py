"""The pipelines that turn provider logs into an audited, validated, published snapshot."""

__version__ = "0.1.0"
