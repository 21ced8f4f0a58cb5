"""What makes the package's own data and proofs: verification, export of networks, parity with other code."""
