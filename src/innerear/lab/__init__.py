"""Tools that make the package's own data and evidence: verification, network export, parity with other code."""
