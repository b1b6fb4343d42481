"""The verifier: runs the original and the migrated program in a sandbox and compares them."""
