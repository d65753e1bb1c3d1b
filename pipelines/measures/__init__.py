"""Families of numbers: each module turns counts of sql/metrics into measurements and the relations beside them."""
