"""Native StasisBroadcast (placeholder)."""


def install(pbx: object, resources: object) -> None: ...
