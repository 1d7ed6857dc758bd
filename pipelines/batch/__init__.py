"""Folders of media: plan, journal, runs. `pipelines.batch.run` reads mixed folders."""


def __getattr__(name: str):
    """Import on first use, so that whoever needs one module of this folder waits for no other."""
    if name != "run":
        raise AttributeError(f"module 'pipelines.batch' has no attribute {name!r}")
    from pipelines.batch.mixed import run

    return run
