"""The verifier: runs the original and the migrated program in a sandbox and compares them.

`Workers` keeps the interpreters warm, `check_case` gives the verdicts of a case, `check_file` those of
a case file, `check_text`, `check_public` and `check_import` those of a migrated file, `doctor` says what is missing.
"""

from migrator_validators.casefile import check_file, read_case_file, write_case_file
from migrator_validators.check import Checked, check_case, check_import
from migrator_validators.doctor import Check, doctor
from migrator_validators.files import check_public, check_text
from migrator_validators.sandbox import Limits
from migrator_validators.workers import Reply, Tree, Workers, pack_tree

__all__ = [
    "Check",
    "Checked",
    "Limits",
    "Reply",
    "Tree",
    "Workers",
    "check_case",
    "check_file",
    "check_import",
    "check_public",
    "check_text",
    "doctor",
    "pack_tree",
    "read_case_file",
    "write_case_file",
]
