"""The generator of the sample scans: draws invented paperwork and makes it look scanned.

Run as ``python -m data.generator`` from the folder above ``data``. No package of the project imports it.
"""
