"""Files in and out: reading a repository once, and writing the migrated one beside it."""

from migrator.source.pairs import pairs
from migrator.source.place import check_place, default_out
from migrator.source.read import read
from migrator.source.tf1 import for_tf2
from migrator.source.write import Written, add, write

__all__ = ["Written", "add", "check_place", "default_out", "for_tf2", "pairs", "read", "write"]
