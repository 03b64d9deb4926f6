"""The app that syncs with the PSAs: plain connectors, the sandbox, and the one bridge to the desk."""
