"""From what the rules left to what a model is asked, and back: the corridor between the rooms and `migrator.llm`."""
