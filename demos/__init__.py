"""Published claims, put to the test: `python -m demos` lists them, `python -m demos NAME` runs one.

A demo is a module of this package: a docstring that asks a question, the source of the claim, and
`run(args, report)`, which calls the library, hands numbers to the report and lets it decide whether
each claim holds. Read `report` first.
"""
