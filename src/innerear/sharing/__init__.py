"""What leaves a run for others: tables, one packed file, a comparison, a leaderboard."""
