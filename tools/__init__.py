"""The helpers of dev.py: one noun a module (see README.md)."""
