"""Facts: what is known of a repository without running it."""

from migrator.facts.analysis import RepoFacts, analyse

__all__ = ["RepoFacts", "analyse"]
