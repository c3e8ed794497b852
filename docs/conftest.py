"""Of this folder, the tests run what stands in the pages."""

collect_ignore_glob = ["*.py", "_build/*", "gallery/*", "generated/*"]
