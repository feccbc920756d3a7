"""The generator of the background: texts of kinds of paper that few people file, to be turned away.

Run as ``python -m data.generator.background`` from the folder above ``data``. `kinds/` holds one TOML file a kind.
"""
