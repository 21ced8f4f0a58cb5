"""Running a model's program where it can do no harm; see `docs/jail.md`.

`open_jail(tier)` gives a `Jail`, or raises `JailUnavailable` with the missing feature and its
fix. `render` knows only what stands here.
"""
