"""English text: all that a reader of the dashboard reads and no run publishes. A translation changes these modules.

Each page or part has a module of its name. What several share: `texts` (pages, menu, codes in words), `heads` (columns
of tables), `charts`, `formats` (numbers, times, months), `rule_texts`, `place_names`, `access_texts`.

A template has named fields, and its page fills them. "{n:opt-out|opt-outs}" writes a count with its noun, and
"{n:~is|are}" chooses a word by it (formats.Counted). A sentence with more turns than that is a function.

A run publishes English too: verdicts and their reasons, what a test says, the rule book in words.
"""
