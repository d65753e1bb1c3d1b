"""The rule book: what laws, industry rules and the home itself demand, as rows.

`data/reference/rules.csv` holds what heed ships, `rules.csv` in the home what its owner adds, changes or switches.
`book` reads and merges them, `values` reads their little grammars, `tables` turns what is in force into relations
that SQL joins.
"""
