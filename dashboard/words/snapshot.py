"""English text of a snapshot that cannot be shown."""

from __future__ import annotations

NO_HOME = "No home folder is named, so there is nothing to show."
NOTHING_PUBLISHED = "Nothing has been published in {folder} yet."
MISSING = "The published snapshot {name} is missing."
NEWER = "The published snapshot was made by a newer version of heed than these pages."
NO_POINTER = "{file} in {folder} cannot be read."

DAMAGED = "The file {file} is damaged, or another version of heed wrote it."

NONE_YET = "No snapshot yet"
CANNOT_BE_READ = "The snapshot cannot be read"
