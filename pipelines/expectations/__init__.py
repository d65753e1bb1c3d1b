"""What must hold before anything is published: one module per relation, found by being here.

A module has RELATION, the relation it is about, and EXPECTATIONS, Great Expectations objects made with the words of
`declare`; it may have `prepare(engine)`, which builds what its expectations look at. Importing a module imports
Great Expectations, which takes seconds: only `validate` does.
"""
