"""The statistics behind the numbers, from counts to values, by no table and no record: arrays in, estimates out.

Confidence levels are 95 % throughout. Each function names its source.
"""
