"""A store that has gone back: an etcd that was restored from a backup.

What was written since the backup has never happened; objects have older resourceVersions than we know, and so has
the whole, unless it was restored as etcd advises (`etcdutl snapshot restore --bump-revision --mark-compacted`). The
rule that an older version is old news fails then, and a cache that follows it counts pods that do not exist. So this is
looked for wherever an answer can be no older than what was known when it was asked for; if it is all the same,
everything is forgotten, and the operator begins anew.
"""


class Restored(Exception):
    """What is known of the API is of another history than its own."""


def not_older(what: str, known: int, found: int) -> None:
    """Compare the resourceVersion that was known before something was asked for with the one that is answered.

    Raises:
        Restored: the answer is the older one.
    """
    if found < known:
        raise Restored(f"{what} has gone back from resourceVersion {known} to {found}")
