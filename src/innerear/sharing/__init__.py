"""Share runs: tables, packed files, comparisons, leaderboards, the Hugging Face hub."""
